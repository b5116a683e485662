using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Bruma.Nn;

/// <summary>Group norm over contiguous [B, H, W, C]: sums of pieces of some rows, statistics of the groups, then norm and activation row by row.</summary>
/// <remarks>Pieces and their order are fixed, so that results do not depend on the number of threads.</remarks>
internal static unsafe class ChannelsLastNormKernel<T>
    where T : struct, ILanes
{
    private const int Width = 16;
    private const int RowsPerPiece = 64;

    public static void Run(NormCall call, nint output, bool silu)
    {
        var pieces = (call.Places + RowsPerPiece - 1) / RowsPerPiece;
        var sums = new float[call.Batch * pieces * 2 * call.Channels];
        Lanes.ForRows(call.Batch * pieces, 1, piece => Sums(call, piece / pieces, piece % pieces, sums.AsSpan(piece * 2 * call.Channels, 2 * call.Channels)));
        var affine = new float[call.Batch * 2 * call.Channels];
        for (var sample = 0; sample < call.Batch; sample++)
            Affine(call, sample, sums.AsSpan(sample * pieces * 2 * call.Channels, pieces * 2 * call.Channels), affine.AsSpan(sample * 2 * call.Channels, 2 * call.Channels));
        Lanes.ForRows(call.Batch * pieces, 1, piece => Apply(call, piece / pieces, piece % pieces, affine.AsSpan(piece / pieces * 2 * call.Channels, 2 * call.Channels), (byte*)output, silu));
    }

    /// <summary>Of every channel of a piece, the sum and the sum of squares of what is beyond the sample's first place, which keeps the squares small.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sums(NormCall call, int sample, int piece, Span<float> sums)
    {
        var (rows, channels) = (Math.Min(RowsPerPiece, call.Places - piece * RowsPerPiece), call.Channels);
        var start = Sample(call, sample);
        var from = start + (long)piece * RowsPerPiece * channels * T.Bytes;
        var c = 0;
        for (; c <= channels - Width; c += Width)
        {
            var (pivot, sum, squares) = (T.Load(start + c * T.Bytes), Vector512<float>.Zero, Vector512<float>.Zero);
            var at = from + c * T.Bytes;
            for (var row = 0; row < rows; row++, at += channels * T.Bytes)
            {
                var value = T.Load(at) - pivot;
                sum += value;
                squares = Vector512.FusedMultiplyAdd(value, value, squares);
            }
            sum.CopyTo(sums[c..]);
            squares.CopyTo(sums[(channels + c)..]);
        }
        for (; c < channels; c++)
            for (var row = 0; row < rows; row++)
            {
                var value = T.LoadOne(from + ((long)row * channels + c) * T.Bytes) - T.LoadOne(start + c * T.Bytes);
                sums[c] += value;
                sums[channels + c] += value * value;
            }
    }

    /// <summary>What every channel is multiplied by and what is added to it.</summary>
    private static void Affine(NormCall call, int sample, Span<float> sums, Span<float> affine)
    {
        var (channels, perGroup, pieces) = (call.Channels, call.ChannelsPerGroup, sums.Length / (2 * call.Channels));
        Span<double> means = stackalloc double[perGroup];
        for (var group = 0; group < call.Groups; group++)
        {
            double squares = 0, mean = 0;
            for (var i = 0; i < perGroup; i++)
            {
                var c = group * perGroup + i;
                double sum = 0, square = 0;
                for (var piece = 0; piece < pieces; piece++)
                {
                    sum += sums[piece * 2 * channels + c];
                    square += sums[(piece * 2 + 1) * channels + c];
                }
                means[i] = sum / call.Places + T.LoadOne(Sample(call, sample) + c * T.Bytes) + Shift(call, sample, c);
                squares += square - sum * sum / call.Places;
                mean += means[i] / perGroup;
            }
            foreach (var own in means)
                squares += (own - mean) * (own - mean) * call.Places;
            var inverse = 1 / Math.Sqrt(Math.Max(0, squares) / ((double)perGroup * call.Places) + call.Epsilon);
            for (var c = group * perGroup; c < (group + 1) * perGroup; c++)
            {
                var scale = T.LoadOne((byte*)call.Weight + c * T.Bytes) * inverse;
                (affine[c], affine[channels + c]) = ((float)scale, (float)(T.LoadOne((byte*)call.Bias + c * T.Bytes) - (mean - Shift(call, sample, c)) * scale));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply(NormCall call, int sample, int piece, ReadOnlySpan<float> affine, byte* output, bool silu)
    {
        var (channels, rows) = (call.Channels, Math.Min(RowsPerPiece, call.Places - piece * RowsPerPiece));
        var offset = ((long)sample * call.Places + (long)piece * RowsPerPiece) * channels * T.Bytes;
        fixed (float* scales = affine)
            for (var row = 0; row < rows; row++, offset += channels * T.Bytes)
            {
                var from = (byte*)call.X + offset;
                var to = output + offset;
                var c = 0;
                for (; c <= channels - Width; c += Width)
                {
                    var z = Vector512.FusedMultiplyAdd(T.Load(from + c * T.Bytes), Vector512.Load(scales + c), Vector512.Load(scales + channels + c));
                    T.Store(silu ? z * LaneMath.Sigmoid(z) : z, to + c * T.Bytes);
                }
                for (; c < channels; c++)
                {
                    var z = T.LoadOne(from + c * T.Bytes) * scales[c] + scales[channels + c];
                    T.StoreOne(silu ? z / (1 + MathF.Exp(-z)) : z, to + c * T.Bytes);
                }
            }
    }

    private static byte* Sample(NormCall call, int sample) => (byte*)call.X + (long)sample * call.Places * call.Channels * T.Bytes;

    private static float Shift(NormCall call, int sample, int channel) => call.Shift == 0 ? 0 : T.LoadOne((byte*)call.Shift + ((long)sample * call.Channels + channel) * T.Bytes);
}
