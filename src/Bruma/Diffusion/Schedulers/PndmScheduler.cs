using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Pseudo linear multistep method of order 4, started with pseudo Runge-Kutta steps or (<c>skip_prk_steps</c>) with an improved Euler step.</summary>
/// <remarks>Liu et al. 2022, arXiv:2202.09778, equations 9, 12 and 13. Stable Diffusion's first scheduler ("PLMS").</remarks>
public sealed class PndmScheduler : AlphaScheduler
{
    private const int RungeKuttaSteps = 3;

    private readonly TensorHistory _noises = new(4);
    private readonly TensorHistory _start = new(1);
    private readonly TensorHistory _sum = new(1);
    private readonly int _rungeKuttaCalls;
    private int _calls;

    public PndmScheduler(SchedulerConfig config, int steps) : base(config, steps, Grid(config, steps))
    {
        if (config.PredictionType == PredictionType.Sample)
            throw config.Unsupported("prediction_type", "sample", "epsilon or v_prediction");
        _rungeKuttaCalls = config.SkipPrkSteps ? 0 : RungeKuttaSteps * 4;
    }

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var result = step < _rungeKuttaCalls ? RungeKutta(prediction, step, sample) : Multistep(prediction, step, sample);
        _calls++;
        return result.MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var history in new[] { _noises, _start, _sum })
            history.Dispose();
        base.Dispose(disposing);
    }

    private Tensor RungeKutta(Tensor prediction, int step, Tensor sample)
    {
        var stage = step % 4;
        var weighted = stage == 0 ? prediction / 6 : _sum[0] + prediction / (stage == 3 ? 6 : 3);
        _sum.Add(weighted);
        if (stage == 0)
        {
            _noises.Add(prediction);
            _start.Add(sample);
        }
        var end = Timesteps[step] - (step % 2 == 0 ? Stride / 2 : 0);
        return Transfer(_start[0], Timesteps[step - stage], end, stage == 3 ? weighted : prediction);
    }

    private Tensor Multistep(Tensor prediction, int step, Tensor sample)
    {
        var timestep = Timesteps[step];
        if (_rungeKuttaCalls == 0 && _calls == 1) // the second half of the improved Euler step
            return Transfer(_start[0], timestep + Stride, timestep, (prediction + _noises[0]) / 2);

        _noises.Add(prediction);
        if (_noises.Count == 1)
            _start.Add(sample);
        var combined = _noises.Count switch
        {
            1 => prediction,
            2 => (_noises[0] * 3 - _noises[1]) / 2,
            3 => (_noises[0] * 23 - _noises[1] * 16 + _noises[2] * 5) / 12,
            _ => (_noises[0] * 55 - _noises[1] * 59 + _noises[2] * 37 - _noises[3] * 9) / 24,
        };
        return Transfer(sample, timestep, timestep - Stride, combined);
    }

    // equation 9: exact for a constant noise prediction
    private Tensor Transfer(Tensor sample, double from, double to, Tensor prediction)
    {
        var (alpha, next) = (AlphaCumprod(from), AlphaCumprod(to));
        var noise = Predictions.Noise(Prediction, prediction, sample, Level(alpha));
        var denominator = alpha * Math.Sqrt(1 - next) + Math.Sqrt(alpha * (1 - alpha) * next);
        return sample * Math.Sqrt(next / alpha) - noise * ((next - alpha) / denominator);
    }

    private static double[] Grid(SchedulerConfig config, int steps)
    {
        double[] rising = [.. TimestepGrid.Whole(config, steps).Reverse()];
        if (config.SkipPrkSteps) // the last but one is visited twice
            return steps == 1 ? rising : [.. rising[..^1].Append(rising[^2]).Append(rising[^1]).Reverse()];

        if (steps < RungeKuttaSteps + 1)
            throw new BrumaException($"{config.ClassName}: {steps} steps are too few for its Runge-Kutta start; ask for at least {RungeKuttaSteps + 1} or set skip_prk_steps.");
        var half = config.NumTrainTimesteps / steps / 2;
        double[] halves = [.. rising[^(RungeKuttaSteps + 1)..].SelectMany(t => new[] { t, t + half })];
        double[] start = [.. SigmaGrid.Twice(halves[..^1])];
        return [.. start[1..^1].Reverse(), .. rising[..^RungeKuttaSteps].Reverse()];
    }
}
