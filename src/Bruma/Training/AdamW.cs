using System.Numerics;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Bruma.Training;

/// <summary>Adam with decay apart from the gradient, as one pass over memory: the optimizer for most networks.</summary>
public sealed record AdamWOptions(double LearningRate, double Beta1 = 0.9, double Beta2 = 0.99, double Epsilon = 1e-8, double WeightDecay = 0.01) : OptimizerOptions(LearningRate, WeightDecay)
{
    public override Optimizer Create(FlatParameters parameters) => new AdamW(parameters, this);
}

/// <summary>AdamW over flat parameters: clipping, moments, decay, the bf16 copy and the average in one pass over memory.</summary>
/// <remarks>Loshchilov and Hutter 2017, arXiv:1711.05101; the formulas of torch.optim.AdamW.</remarks>
public sealed unsafe class AdamW : Optimizer
{
    private readonly AdamWOptions _options;
    private readonly Tensor _first; // running mean of gradients, [P]
    private readonly Tensor _second; // running mean of squared gradients, [P]

    public AdamW(FlatParameters parameters, AdamWOptions options) : base(parameters) => (_options, _first, _second) = (options, NewState("exp_avg"), NewState("exp_avg_sq"));

    public override void Step(in OptimizerStep step)
    {
        var (gradient, average) = (step.Gradient, step.Average);
        var buffers = new Arrays
        {
            Gradient = new FlatReader(TensorMemory.Address(gradient), gradient.dtype == ScalarType.BFloat16),
            Weights = (float*)TensorMemory.Address(Parameters.Master),
            First = (float*)TensorMemory.Address(_first),
            Second = (float*)TensorMemory.Address(_second),
            Average = average is { } averaged ? (float*)TensorMemory.Address(averaged.Weights) : null,
            Copy = Parameters.Precision == ScalarType.BFloat16 ? (ushort*)TensorMemory.Address(Parameters.Computed) : null,
        };
        foreach (var run in Parameters.Runs)
        {
            var (rate, number) = (step.LearningRate * run.RateScale, run.Number(step.Number));
            if (number < 1)
                continue;
            var factors = new Factors
            {
                GradientScale = (float)step.GradientScale,
                Decay = (float)(1 - rate * run.WeightDecay),
                Beta1 = (float)_options.Beta1,
                Beta2 = (float)_options.Beta2,
                NewShare1 = (float)(1 - _options.Beta1),
                NewShare2 = (float)(1 - _options.Beta2),
                StepSize = (float)(rate / (1 - Math.Pow(_options.Beta1, number))),
                RootCorrection = (float)(1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, number))),
                Epsilon = (float)_options.Epsilon,
                NewAverage = (float)(1 - (average?.Decay ?? 0)),
            };
            FlatPass.Run(run.Start, run.Length, (start, end) => Chunk(buffers, factors, start, end));
        }
    }

    private static void Chunk(in Arrays buffers, in Factors factors, long start, long end)
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
    private static Vector<float> Update(in Arrays buffers, in Factors factors, long i, Vector<float> gradient)
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

    private static void UpdateOne(in Arrays buffers, in Factors factors, long i)
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

    private struct Arrays
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
