using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Where the tensors of a call lie and how they divide.</summary>
/// <param name="Shift">[B, C], added to x before the norm; 0 for none.</param>
/// <param name="Statistics">Mean and 1 / deviation of every group, fp32 [B, G, 2].</param>
internal readonly record struct NormCall(nint X, nint Shift, nint Weight, nint Bias, nint Statistics, int Batch, int Channels, int Places, int Groups, float Epsilon)
{
    public int ChannelsPerGroup => Channels / Groups;
}

/// <summary>SiLU of a group norm over contiguous [B, C, H, W]: statistics, norm and activation while a group lies in the cache, forward and backward.</summary>
/// <remarks>Sums run in a fixed order, so that results do not depend on the number of threads.</remarks>
internal static unsafe class GroupNormSiluKernel<T>
    where T : struct, ILanes
{
    private const int Width = 16;

    public static void Forward(NormCall call, nint output) => ForBatch(call.Batch, sample =>
    {
        for (var group = 0; group < call.Groups; group++)
        {
            var first = group * call.ChannelsPerGroup;
            var (mean, inverse) = Statistics(call, sample, first);
            ((float*)call.Statistics)[2 * (sample * call.Groups + group)] = mean;
            ((float*)call.Statistics)[2 * (sample * call.Groups + group) + 1] = inverse;
            for (var c = first; c < first + call.ChannelsPerGroup; c++)
            {
                var (scale, offset) = Affine(call, sample, c, mean, inverse);
                Activate(Row(call.X, call, sample, c), Row(output, call, sample, c), call.Places, scale, offset);
            }
        }
    });

    /// <param name="gradient">Of the output, [B, C, H, W].</param>
    /// <param name="dx">Receives the gradient of x, [B, C, H, W].</param>
    /// <param name="sums">Receives per sample and channel the gradients of weight, bias and shift, fp32 [3, B, C].</param>
    public static void Backward(NormCall call, nint gradient, nint dx, nint sums) => ForBatch(call.Batch, sample =>
    {
        var places = call.Places;
        var dz = new float[call.ChannelsPerGroup * places];
        for (var group = 0; group < call.Groups; group++)
        {
            var first = group * call.ChannelsPerGroup;
            var (mean, inverse) = (((float*)call.Statistics)[2 * (sample * call.Groups + group)], ((float*)call.Statistics)[2 * (sample * call.Groups + group) + 1]);
            double common = 0, along = 0;
            for (var c = first; c < first + call.ChannelsPerGroup; c++)
            {
                var (scale, offset) = Affine(call, sample, c, mean, inverse);
                var (sum, product) = ActivationGradient(Row(call.X, call, sample, c), Row(gradient, call, sample, c), dz.AsSpan((c - first) * places, places), scale, offset);
                var weight = T.LoadOne((byte*)call.Weight + c * T.Bytes);
                var dWeight = inverse * (product - (mean - ShiftOf(call, sample, c)) * sum);
                Sum(sums, call, 0, sample, c) = dWeight;
                Sum(sums, call, 1, sample, c) = sum;
                common += weight * sum;
                along += weight * dWeight;
            }
            var count = (double)call.ChannelsPerGroup * places;
            var (meanCommon, meanAlong) = ((float)(common / count), (float)(along / count));
            for (var c = first; c < first + call.ChannelsPerGroup; c++)
            {
                var weight = T.LoadOne((byte*)call.Weight + c * T.Bytes);
                // dx = inverse (w dz - meanCommon - xhat meanAlong) with xhat = (x + shift - mean) inverse
                var slope = -inverse * inverse * meanAlong;
                var constant = -inverse * meanCommon - slope * (mean - ShiftOf(call, sample, c));
                Sum(sums, call, 2, sample, c) = InputGradient(Row(call.X, call, sample, c), dz.AsSpan((c - first) * places, places), Row(dx, call, sample, c), inverse * weight, slope, constant);
            }
        }
    });

    private static (float Mean, float Inverse) Statistics(NormCall call, int sample, int first)
    {
        double sum = 0, squares = 0;
        for (var c = first; c < first + call.ChannelsPerGroup; c++)
            sum += RowSum(Row(call.X, call, sample, c), call.Places, 0).Sum + (double)ShiftOf(call, sample, c) * call.Places;
        var count = (double)call.ChannelsPerGroup * call.Places;
        var mean = (float)(sum / count);
        for (var c = first; c < first + call.ChannelsPerGroup; c++)
            squares += RowSum(Row(call.X, call, sample, c), call.Places, mean - ShiftOf(call, sample, c)).Squares;
        return (mean, (float)(1 / Math.Sqrt(squares / count + call.Epsilon)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float Sum, float Squares) RowSum(byte* x, int places, float centre)
    {
        var (sums, squares, centres) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512.Create(centre));
        var i = 0;
        for (; i + Width <= places; i += Width)
        {
            var value = T.Load(x + i * T.Bytes) - centres;
            sums += value;
            squares = Vector512.FusedMultiplyAdd(value, value, squares);
        }
        var (sum, square) = (Vector512.Sum(sums), Vector512.Sum(squares));
        for (; i < places; i++)
        {
            var value = T.LoadOne(x + i * T.Bytes) - centre;
            sum += value;
            square += value * value;
        }
        return (sum, square);
    }

    /// <summary>y = silu(scale x + offset).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Activate(byte* x, byte* y, int places, float scale, float offset)
    {
        var (scales, offsets) = (Vector512.Create(scale), Vector512.Create(offset));
        var i = 0;
        for (; i + Width <= places; i += Width)
        {
            var z = Vector512.FusedMultiplyAdd(T.Load(x + i * T.Bytes), scales, offsets);
            T.Store(z * LaneMath.Sigmoid(z), y + i * T.Bytes);
        }
        for (; i < places; i++)
        {
            var z = T.LoadOne(x + i * T.Bytes) * scale + offset;
            T.StoreOne(z / (1 + MathF.Exp(-z)), y + i * T.Bytes);
        }
    }

    /// <summary>dz = dy silu'(z).</summary>
    /// <returns>The sums of dz and of dz x.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float Sum, float Product) ActivationGradient(byte* x, byte* dy, Span<float> dz, float scale, float offset)
    {
        var (scales, offsets, sums, products) = (Vector512.Create(scale), Vector512.Create(offset), Vector512<float>.Zero, Vector512<float>.Zero);
        var i = 0;
        for (; i + Width <= dz.Length; i += Width)
        {
            var value = T.Load(x + i * T.Bytes);
            var z = Vector512.FusedMultiplyAdd(value, scales, offsets);
            var s = LaneMath.Sigmoid(z);
            var d = T.Load(dy + i * T.Bytes) * s * Vector512.FusedMultiplyAdd(z, Vector512<float>.One - s, Vector512<float>.One);
            d.CopyTo(dz[i..]);
            sums += d;
            products = Vector512.FusedMultiplyAdd(d, value, products);
        }
        var (sum, product) = (Vector512.Sum(sums), Vector512.Sum(products));
        for (; i < dz.Length; i++)
        {
            var value = T.LoadOne(x + i * T.Bytes);
            var z = value * scale + offset;
            var s = 1 / (1 + MathF.Exp(-z));
            dz[i] = T.LoadOne(dy + i * T.Bytes) * s * (1 + z * (1 - s));
            sum += dz[i];
            product += dz[i] * value;
        }
        return (sum, product);
    }

    /// <summary>dx = factor dz + slope x + constant.</summary>
    /// <returns>The sum of dx.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float InputGradient(byte* x, ReadOnlySpan<float> dz, byte* dx, float factor, float slope, float constant)
    {
        var (factors, slopes, constants, sums) = (Vector512.Create(factor), Vector512.Create(slope), Vector512.Create(constant), Vector512<float>.Zero);
        var i = 0;
        for (; i + Width <= dz.Length; i += Width)
        {
            var d = Vector512.FusedMultiplyAdd(Vector512.Create(dz[i..]), factors, Vector512.FusedMultiplyAdd(T.Load(x + i * T.Bytes), slopes, constants));
            T.Store(d, dx + i * T.Bytes);
            sums += d;
        }
        var sum = Vector512.Sum(sums);
        for (; i < dz.Length; i++)
        {
            var d = dz[i] * factor + T.LoadOne(x + i * T.Bytes) * slope + constant;
            T.StoreOne(d, dx + i * T.Bytes);
            sum += d;
        }
        return sum;
    }

    private static (float Scale, float Offset) Affine(NormCall call, int sample, int channel, float mean, float inverse)
    {
        var scale = T.LoadOne((byte*)call.Weight + channel * T.Bytes) * inverse;
        return (scale, T.LoadOne((byte*)call.Bias + channel * T.Bytes) - (mean - ShiftOf(call, sample, channel)) * scale);
    }

    private static float ShiftOf(NormCall call, int sample, int channel) => call.Shift == 0 ? 0 : T.LoadOne((byte*)call.Shift + ((long)sample * call.Channels + channel) * T.Bytes);

    private static byte* Row(nint start, NormCall call, int sample, int channel) => (byte*)start + ((long)sample * call.Channels + channel) * call.Places * T.Bytes;

    private static ref float Sum(nint sums, NormCall call, int which, int sample, int channel) => ref ((float*)sums)[((long)which * call.Batch + sample) * call.Channels + channel];

    private static void ForBatch(int batch, Action<int> body)
    {
        var threads = Math.Min(batch, get_num_threads());
        if (threads <= 1)
            for (var sample = 0; sample < batch; sample++)
                body(sample);
        else
            Parallel.For(0, batch, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
    }
}
