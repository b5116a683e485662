using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>UniPC: a multistep predictor, and a corrector that uses the next network call for the step before.</summary>
/// <remarks>Zhao et al. 2023, arXiv:2302.04867; B(h) is h ("bh1") or e^h - 1 ("bh2"). One network call per step.</remarks>
public sealed class UniPcMultistepScheduler : UnitScheduler
{
    private readonly TensorHistory _predictions;
    private readonly TensorHistory _lastSample = new(1);
    private int _order;

    public UniPcMultistepScheduler(SchedulerConfig config, int steps) : base(config, steps)
    {
        if (config.SolverType is not ("bh1" or "bh2"))
            throw config.Unsupported("solver_type", config.SolverType, "bh1 or bh2");
        if (config.SolverOrder < 1)
            throw config.Unsupported("solver_order", config.SolverOrder, "1 or more");
        if (config.SolverP is not null)
            throw config.Unsupported("solver_p", config.SolverP, "null");
        if (config.ShiftTerminal is not null)
            throw config.Unsupported("shift_terminal", config.ShiftTerminal, "null");
        _predictions = new TensorHistory(config.SolverOrder + 1);
    }

    protected override double FinalSigma(double smallest) => Config.FinalSigmasType == FinalSigmasType.Zero ? 0
        : Config.SigmaSpacing != SigmaSpacing.Discrete || Config.UseFlowSigmas ? smallest : Noise.Sigmas[0];

    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var converted = Config.PredictX0 ? Denoised(prediction, step, sample) : NoiseOf(prediction, step, sample);
        var corrected = sample;
        if (_lastSample.Count > 0 && Config.DisableCorrector?.Contains(step - 1) != true)
            corrected = Move(_lastSample[0], step - 1, _order, converted);

        _predictions.Add(converted);
        _order = Math.Min(Config.LowerOrderFinal ? Math.Min(Config.SolverOrder, Timesteps.Count - step) : Config.SolverOrder, Math.Min(_predictions.Count, Config.SolverOrder));
        _lastSample.Add(corrected.alias());
        return Move(corrected, step, _order, null).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        _predictions.Dispose();
        _lastSample.Dispose();
        base.Dispose(disposing);
    }

    /// <param name="from">The step that begins at <paramref name="x"/>; its prediction is the newest.</param>
    /// <param name="arrived">What the network says where the step ends, for the corrector; null predicts.</param>
    private Tensor Move(Tensor x, int from, int order, Tensor? arrived)
    {
        var (start, end, h) = (LevelAt(from), LevelAt(from + 1), Lambda(from + 1) - Lambda(from));
        var signed = Config.PredictX0 ? -h : h;
        var grown = Math.Exp(signed) - 1;
        var places = Enumerable.Range(1, order - 1).Select(i => (Lambda(from - i) - Lambda(from)) / h).Append(1.0).ToArray();
        var scale = Config.SolverType == "bh1" ? signed : grown;
        var weights = Weights(places, signed, scale, isCorrector: arrived is not null);

        var (keep, unit) = Config.PredictX0 ? (end.Sigma / start.Sigma, end.Alpha) : (end.Alpha / start.Alpha, end.Sigma);
        var result = x * keep - _predictions[0] * (unit * grown);
        for (var i = 1; i < order; i++)
            result -= (_predictions[i] - _predictions[0]) * (unit * scale * weights[i - 1] / places[i - 1]);
        return arrived is null ? result : result - (arrived - _predictions[0]) * (unit * scale * weights[^1]);
    }

    /// <summary>Solves Σ w_j r_j^i = b_i, so that polynomials up to the order are integrated exactly; the lowest orders take 1/2.</summary>
    private static double[] Weights(double[] places, double signed, double scale, bool isCorrector)
    {
        var order = places.Length;
        if (isCorrector ? order == 1 : order <= 2)
            return [0.5];
        var (right, phi, factorial) = (new double[order], (Math.Exp(signed) - 1) / signed - 1, 1.0);
        for (var i = 0; i < order; i++)
        {
            right[i] = phi * factorial / scale;
            factorial *= i + 2;
            phi = phi / signed - 1 / factorial;
        }
        var size = isCorrector ? order : order - 1;
        using var scope = NewDisposeScope();
        var powers = tensor(Enumerable.Range(0, size).SelectMany(i => places[..size].Select(place => Math.Pow(place, i))).ToArray(), [size, size]);
        return [.. linalg.solve(powers, tensor(right[..size])).data<double>()];
    }
}
