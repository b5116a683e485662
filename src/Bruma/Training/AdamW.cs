using System.Numerics;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Bruma.Training;

/// <param name="WeightDecay">Decay of the parameters that decay: not norms and biases.</param>
public sealed record AdamWOptions(double LearningRate, double Beta1 = 0.9, double Beta2 = 0.99, double Epsilon = 1e-8, double WeightDecay = 0.01);

/// <summary>AdamW over flat parameters: clipping, moments, decay, the bf16 copy and the average in one pass over memory.</summary>
/// <remarks>Loshchilov and Hutter 2017, arXiv:1711.05101; the formulas of torch.optim.AdamW.</remarks>
public sealed unsafe class AdamW : IDisposable
{
    private readonly FlatParameters _parameters;
    private readonly AdamWOptions _options;

    public AdamW(FlatParameters parameters, AdamWOptions options)
    {
        (_parameters, _options) = (parameters, options);
        FirstMoment = parameters.NewBuffer();
        SecondMoment = parameters.NewBuffer();
    }

    /// <summary>Running mean of gradients, [P].</summary>
    public Tensor FirstMoment { get; }

    /// <summary>Running mean of squared gradients, [P].</summary>
    public Tensor SecondMoment { get; }

    /// <summary>Moves the weights against the gradient.</summary>
    /// <param name="gradient">[P], fp32 or bf16.</param>
    /// <param name="gradientScale">Factor on the gradient: the clip factor.</param>
    /// <param name="step">Number of this update, from 1.</param>
    /// <param name="learningRate">Rate of this update.</param>
    /// <param name="average">Averaged weights, [P], and their decay at this step; null for none.</param>
    public void Step(Tensor gradient, double gradientScale, long step, double learningRate, (Tensor Weights, double Decay)? average)
    {
        var buffers = new Buffers
        {
            Gradient = new FlatReader(TensorMemory.Address(gradient), gradient.dtype == ScalarType.BFloat16),
            Weights = (float*)TensorMemory.Address(_parameters.Master),
            First = (float*)TensorMemory.Address(FirstMoment),
            Second = (float*)TensorMemory.Address(SecondMoment),
            Average = average is { } averaged ? (float*)TensorMemory.Address(averaged.Weights) : null,
            Copy = _parameters.Precision == ScalarType.BFloat16 ? (ushort*)TensorMemory.Address(_parameters.Computed) : null,
        };
        foreach (var run in _parameters.Runs)
        {
            var rate = learningRate * run.RateScale;
            var factors = new Factors
            {
                GradientScale = (float)gradientScale,
                Decay = (float)(1 - rate * run.WeightDecay),
                Beta1 = (float)_options.Beta1,
                Beta2 = (float)_options.Beta2,
                NewShare1 = (float)(1 - _options.Beta1),
                NewShare2 = (float)(1 - _options.Beta2),
                StepSize = (float)(rate / (1 - Math.Pow(_options.Beta1, step))),
                RootCorrection = (float)(1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, step))),
                Epsilon = (float)_options.Epsilon,
                NewAverage = (float)(1 - (average?.Decay ?? 0)),
            };
            FlatPass.Run(run.Start, run.Length, (start, end) => Chunk(buffers, factors, start, end));
        }
    }

    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }

    private static void Chunk(in Buffers buffers, in Factors factors, long start, long end)
    {
        var i = start;
        for (; i + FlatPass.Width <= end; i += FlatPass.Width)
        {
            buffers.Gradient.Load(i, out var low, out var high);
            var first = Update(buffers, factors, i, low);
            var second = Update(buffers, factors, i + Vector<float>.Count, high);
            if (buffers.Copy != null)
                FlatPass.StoreBFloat16(buffers.Copy + i, first, second);
        }
        for (; i < end; i++)
            UpdateOne(buffers, factors, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Update(in Buffers buffers, in Factors factors, long i, Vector<float> gradient)
    {
        gradient *= factors.GradientScale;
        var first = Vector.Load(buffers.First + i) * factors.Beta1 + gradient * factors.NewShare1;
        var second = Vector.Load(buffers.Second + i) * factors.Beta2 + gradient * gradient * factors.NewShare2;
        first.Store(buffers.First + i);
        second.Store(buffers.Second + i);
        var denominator = Vector.SquareRoot(second) * factors.RootCorrection + new Vector<float>(factors.Epsilon);
        var weights = Vector.Load(buffers.Weights + i) * factors.Decay - first / denominator * factors.StepSize;
        weights.Store(buffers.Weights + i);
        if (buffers.Average != null)
        {
            var average = Vector.Load(buffers.Average + i);
            (average + (weights - average) * factors.NewAverage).Store(buffers.Average + i);
        }
        return weights;
    }

    private static void UpdateOne(in Buffers buffers, in Factors factors, long i)
    {
        var gradient = buffers.Gradient.At(i) * factors.GradientScale;
        buffers.First[i] = buffers.First[i] * factors.Beta1 + gradient * factors.NewShare1;
        buffers.Second[i] = buffers.Second[i] * factors.Beta2 + gradient * gradient * factors.NewShare2;
        var denominator = MathF.Sqrt(buffers.Second[i]) * factors.RootCorrection + factors.Epsilon;
        buffers.Weights[i] = buffers.Weights[i] * factors.Decay - buffers.First[i] / denominator * factors.StepSize;
        if (buffers.Average != null)
            buffers.Average[i] += (buffers.Weights[i] - buffers.Average[i]) * factors.NewAverage;
        if (buffers.Copy != null)
            buffers.Copy[i] = FlatPass.ToBFloat16(buffers.Weights[i]);
    }

    private struct Buffers
    {
        public FlatReader Gradient;
        public float* Weights;
        public float* First;
        public float* Second;
        public float* Average;
        public ushort* Copy;
    }

    private struct Factors
    {
        public float GradientScale;
        public float Decay;
        public float Beta1;
        public float Beta2;
        public float NewShare1;
        public float NewShare2;
        public float StepSize;
        public float RootCorrection;
        public float Epsilon;
        public float NewAverage;
    }
}
