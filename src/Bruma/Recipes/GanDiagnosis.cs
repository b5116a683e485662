using Bruma.Gans;

namespace Bruma.Recipes;

/// <summary>What a game's numbers say in plain language, and what to try.</summary>
public static class GanDiagnosis
{
    private const int FewestSteps = 50;
    private const double SureGap = 6; // logits: an odds ratio of 400
    private const double LostGap = 0.02;
    private const double PoorRecall = 0.1;
    private const double PoorCoverage = 0.2;

    private static readonly string[] Steady = ["wgan-gp", "r3gan"];

    /// <param name="rows">By <see cref="GanCurves.Columns"/>.</param>
    /// <param name="measures">Measurements so far.</param>
    /// <param name="failure">Why the run broke off; null for one that did not.</param>
    /// <returns>Findings, the worst first; one that says all is well when nothing is wrong.</returns>
    public static IReadOnlyList<string> Of(GanOptions options, IReadOnlyList<double[]> rows, IReadOnlyList<SampleMeasures> measures, string? failure)
    {
        var findings = new List<string>();
        if (failure is not null)
            findings.Add($"The numbers broke down: {failure}");
        var late = rows.Skip(rows.Count * 4 / 5).ToList();
        if (rows.Count >= FewestSteps)
        {
            var gap = late.Average(row => row[5]) - late.Average(row => row[6]);
            var isWasserstein = GanRecipe.Find(options.Objective).Objective == GanObjective.Wasserstein; // its logits have no scale
            if (!isWasserstein && gap > SureGap)
                findings.Add(FormattableString.Invariant($"The discriminator is too strong: towards the end its logits of real and generated pictures lie {gap:0.0} apart, so the generator learns little from it. Try a lower --discriminator-learning-rate, --diffaugment color,translation,cutout, or an objective that restrains it (hinge, or r3gan with a larger --penalty-weight)."));
            else if (!isWasserstein && Math.Abs(gap) < LostGap && rows.Count > 10 * FewestSteps)
                findings.Add("The discriminator tells real and generated pictures hardly apart. If the samples are good, that is the goal; if not, it is too weak: try a higher --discriminator-learning-rate or --discriminator-steps 2.");
            if (late.Average(row => row[3]) < 1e-6)
                findings.Add("Hardly any gradient reaches the generator: try a lower --discriminator-learning-rate.");
        }
        if (measures.Count > 0 && (measures[^1].Recall < PoorRecall || measures[^1].Coverage < PoorCoverage))
            findings.Add(FormattableString.Invariant($"The samples cover few of the real pictures (recall {measures[^1].Recall:0.00}, coverage {measures[^1].Coverage:0.00}): {(measures[^1].Precision > 0.6 ? Alike(options) : "the generator is still far from its data. Train for longer.")}"));
        if (Worsened(measures) is { } best)
            findings.Add(FormattableString.Invariant($"The samples were closer to real pictures at step {best.Step} (FD-{best.Network} {best.Frechet:0.00}) than at the end ({measures[^1].Frechet:0.00}): the run went on too long or too fast. Try --steps {best.Step} or half the --learning-rate."));
        if (findings.Count == 0)
            findings.Add(rows.Count < FewestSteps ? "Too few steps to say anything." : "Nothing is out of the ordinary: both networks learn, neither has won.");
        return findings;
    }

    private static string Alike(GanOptions options) =>
        $"each looks right, but they are too much alike, which is mode collapse. A short run grows out of it with more --steps; a long one wants --objective {string.Join(" or ", Steady.Where(name => name != options.Objective))}, a larger --batch-size, or --diffaugment for a small data set.";

    private static SampleMeasures? Worsened(IReadOnlyList<SampleMeasures> measures)
    {
        var best = measures.MinBy(row => row.Frechet);
        return best is not null && measures[^1].Frechet > 1.5 * best.Frechet && measures[^1].Frechet - best.Frechet > 1 ? best : null;
    }
}
