using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>The midpoint method on the probability-flow ODE, with the midpoint in ln σ; ancestral with fresh noise in every second stage.</summary>
/// <remarks>k-diffusion's "DPM2" and "DPM2 a", after DPM-Solver-2 (Lu et al. 2022, arXiv:2206.00927). Two network calls per step; the last step is Euler's.</remarks>
public sealed class Dpm2Scheduler : SigmaScheduler
{
    private readonly TwoStage _stages = new();
    private readonly bool _ancestral;
    private readonly double[] _levels; // σ of each denoising step, and 0
    private readonly double[] _targets; // where the step goes without noise
    private readonly double[] _midpoints;
    private readonly double[] _timesteps;
    private readonly double[] _sigmas;

    public Dpm2Scheduler(SchedulerConfig config, int steps, bool ancestral) : base(config, steps)
    {
        _ancestral = ancestral;
        _levels = [.. base.Sigmas];
        _targets = [.. Pairs().Select(pair => ancestral ? EulerAncestralScheduler.Ancestral(pair.From, pair.To).Down : pair.To)];
        _midpoints = [.. _targets.Zip(_levels, (target, level) => Math.Sqrt(target * level))];
        // the reference repeats the last level twice more than there are stages
        _sigmas = [_levels[0], .. SigmaGrid.Twice(_levels[1..]), _levels[^1]];
        var karras = config.SigmaSpacing == SigmaSpacing.Karras;
        double[] whole = [.. base.Timesteps.Select(t => karras ? Math.Round(t) : t)];
        _timesteps = [whole[0], .. whole.Skip(1).SelectMany((t, i) => new[] { Noise.TimestepOf(_midpoints[i]), t })];
    }

    public override int Order => 2;

    public override IReadOnlyList<double> Timesteps => _timesteps;

    public override IReadOnlyList<double> Sigmas => _sigmas;

    public override NoiseLevel LevelAt(int step) => new(1, step % 2 == 0 ? _levels[step / 2] : _midpoints[step / 2]);

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var pair = step / 2;
        var derivative = Derivative(prediction, step, sample);
        if (step % 2 == 0)
            return _stages.Begin(sample, derivative, _midpoints[pair] - _levels[pair]).MoveToOuterDisposeScope();

        var result = _stages.Start + derivative * (_targets[pair] - _levels[pair]);
        if (_ancestral)
            result += noise(sample.shape) * EulerAncestralScheduler.Ancestral(_levels[pair], _levels[pair + 1]).Up;
        return result.MoveToOuterDisposeScope();
    }

    // before a second stage the level of the next step, not the midpoint: a fact of the reference
    protected override NoiseLevel NoisedLevelAt(int step) => new(1, _sigmas[step]);

    protected override NoiseLevel LevelOf(double timestep) => new(1, _sigmas[SigmaGrid.IndexOf(Timesteps, timestep)]);

    protected override void Dispose(bool disposing)
    {
        _stages.Dispose();
        base.Dispose(disposing);
    }

    private IEnumerable<(double From, double To)> Pairs() => _levels.Zip(_levels.Skip(1));
}
