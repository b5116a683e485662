using static TorchSharp.torch;

namespace Bruma.Training;

/// <summary>One update.</summary>
/// <param name="Gradient">[P], fp32 or bf16.</param>
/// <param name="GradientScale">Factor on the gradient: the clip factor.</param>
/// <param name="Number">Counts from 1.</param>
/// <param name="LearningRate">Rate of this update.</param>
/// <param name="Average">Averaged weights, [P], and their decay at this step; null for none.</param>
public readonly record struct OptimizerStep(Tensor Gradient, double GradientScale, long Number, double LearningRate, (Tensor Weights, double Decay)? Average);

/// <summary>What an optimizer is made from.</summary>
/// <param name="LearningRate">Highest rate; the schedule scales it.</param>
/// <param name="WeightDecay">Decay of the parameters that decay.</param>
public abstract record OptimizerOptions(double LearningRate, double WeightDecay)
{
    /// <summary>An optimizer of these parameters, with fresh state.</summary>
    public abstract Optimizer Create(FlatParameters parameters);
}

/// <summary>Moves flat parameters, keeps the copy that the network computes with and the average up to date.</summary>
public abstract class Optimizer(FlatParameters parameters) : IDisposable
{
    private readonly List<KeyValuePair<string, Tensor>> _state = [];

    /// <summary>What a checkpoint holds beside the weights: flat fp32 buffers, [P], by torch's names.</summary>
    public IReadOnlyList<KeyValuePair<string, Tensor>> State => _state;

    protected FlatParameters Parameters { get; } = parameters;

    public abstract void Step(in OptimizerStep step);

    public virtual void Dispose()
    {
        foreach (var (_, buffer) in _state)
            buffer.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A zeroed buffer that belongs to the state.</summary>
    protected Tensor NewState(string name)
    {
        var buffer = Parameters.NewBuffer();
        _state.Add(new(name, buffer));
        return buffer;
    }
}

/// <summary>An optimizer as tensor operations, one run of parameters after another: plain, for those that are not worth a pass of their own.</summary>
public abstract class PlainOptimizer(FlatParameters parameters) : Optimizer(parameters)
{
    public sealed override void Step(in OptimizerStep step)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var gradient = step.Gradient.to(float32) * step.GradientScale;
        foreach (var run in Parameters.Runs)
            if (run.Number(step.Number) >= 1)
                Update(Slice(Parameters.Master, run), Slice(gradient, run), run, run.Number(step.Number), step.LearningRate * run.RateScale);
        if (!ReferenceEquals(Parameters.Computed, Parameters.Master))
            Parameters.Computed.copy_(Parameters.Master);
        if (step.Average is { } average)
            average.Weights.lerp_(Parameters.Master, tensor((float)(1 - average.Decay)));
    }

    /// <param name="weights">A view of the run's weights, changed in place.</param>
    /// <param name="gradient">The run's gradient, clipped; free to change.</param>
    protected abstract void Update(Tensor weights, Tensor gradient, ParameterRun run, long number, double rate);

    protected static Tensor Slice(Tensor buffer, ParameterRun run) => buffer.narrow(0, run.Start, run.Length);
}
