namespace Bruma.Training;

/// <summary>The shape of the learning rate over a run.</summary>
/// <param name="Name">constant, constant_with_warmup, linear, cosine, cosine_with_restarts, polynomial, inverse_sqrt, warmup_stable_decay, warmup-stable-linear, one_cycle, noam, exponential.</param>
/// <param name="Rate">Base rate.</param>
/// <param name="WarmupSteps">Steps of linear warm-up from 0.</param>
/// <param name="TotalSteps">Length of the run.</param>
/// <param name="Cycles">Of cosine_with_restarts.</param>
/// <param name="Power">Of polynomial.</param>
/// <param name="EndRate">Of polynomial and exponential, which ends there.</param>
/// <param name="DecaySteps">Of the warmup-stable schedules; null decays over the second half.</param>
/// <param name="ModelWidth">Of noam: d_model.</param>
/// <param name="Factor">Of noam.</param>
public sealed record LearningRateSchedule(
    string Name,
    double Rate,
    int WarmupSteps = 0,
    int TotalSteps = 0,
    int Cycles = 1,
    double Power = 1,
    double EndRate = 1e-7,
    int? DecaySteps = null,
    int ModelWidth = 0,
    double Factor = 1)
{
    public static readonly IReadOnlyList<string> Names =
        ["constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial", "inverse_sqrt", "warmup_stable_decay", "warmup-stable-linear", "one_cycle", "noam", "exponential"];

    /// <summary>The rate of a step, the first being 0: a pure function, so there is nothing to save.</summary>
    /// <exception cref="BrumaException">The name is unknown.</exception>
    public double At(long step) => Name switch
    {
        "constant" => Rate,
        "one_cycle" => OneCycle(step),
        "exponential" => Rate * Math.Pow(EndRate / Rate, (double)step / Math.Max(1, TotalSteps - 1)),
        "noam" => Factor * Math.Pow(ModelWidth, -0.5) * Math.Min(Math.Pow(step + 1, -0.5), (step + 1) * Math.Pow(WarmupSteps, -1.5)),
        _ when !Names.Contains(Name) => throw new BrumaException($"learning-rate schedule {Name}: no such schedule; known are {string.Join(", ", Names)}."),
        _ when step < WarmupSteps => Rate * step / Math.Max(1, WarmupSteps),
        "polynomial" => step > TotalSteps ? EndRate : EndRate + (Rate - EndRate) * Math.Pow(1 - Progress(step), Power),
        _ => Rate * Factor1(step),
    };

    /// <summary>Factor on the rate of a layer: the deeper below the head, the slower (Howard and Ruder 2018, arXiv:1801.06146).</summary>
    /// <param name="depth">0 for embeddings, i + 1 for layer i, layers + 1 for the head.</param>
    public static double LayerScale(int depth, int layers, double decay) => Math.Pow(decay, layers + 1 - depth);

    private double Progress(long step) => (double)(step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps);

    /// <summary>The factor after warm-up.</summary>
    private double Factor1(long step) => Name switch
    {
        "linear" => Math.Max(0, (double)(TotalSteps - step) / Math.Max(1, TotalSteps - WarmupSteps)),
        "cosine" => Math.Max(0, HalfCosine(Progress(step))),
        "cosine_with_restarts" => Progress(step) >= 1 ? 0 : Math.Max(0, HalfCosine(Cycles * Progress(step) % 1)),
        "inverse_sqrt" => Math.Sqrt((double)Math.Max(1, WarmupSteps) / Math.Max(1, step)),
        "warmup_stable_decay" => DecayProgress(step) is var p && p >= 1 ? 0 : HalfCosine(Math.Max(0, p)),
        "warmup-stable-linear" => Math.Clamp(1 - DecayProgress(step), 0, 1),
        _ => 1,
    };

    private double DecayProgress(long step)
    {
        var decay = Math.Max(1, DecaySteps ?? TotalSteps / 2);
        return (double)(step - (TotalSteps - decay)) / decay;
    }

    /// <summary>Smith and Topin 2017, arXiv:1708.07120, as torch's OneCycleLR: 30 % up, cosine, from Rate / 25 to Rate to Rate / 25 / 1e4.</summary>
    private double OneCycle(long step)
    {
        var (start, end) = (Rate / 25, Rate / 25 / 1e4);
        var up = 0.3 * TotalSteps - 1;
        return step <= up ? Between(start, Rate, step / up) : Between(Rate, end, (step - up) / (TotalSteps - 1 - up));

        static double Between(double from, double to, double p) => to + (from - to) / 2 * (1 + Math.Cos(Math.PI * p));
    }

    private static double HalfCosine(double progress) => 0.5 * (1 + Math.Cos(Math.PI * progress));
}
