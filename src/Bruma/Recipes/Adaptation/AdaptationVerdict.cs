using System.Globalization;
using Bruma.Metrics;

namespace Bruma.Recipes.Adaptation;

/// <summary>What the figures of a report mean, in sentences.</summary>
public static class AdaptationVerdict
{
    private const double VariedFrom = 0.8; // of the real photos' coverage
    private const double Follows = 0.05; // of F1, above what agrees by chance

    /// <param name="sets">Rows of the report; those that could not be measured are missing.</param>
    /// <param name="steered">Whether pictures steer the samples: a ControlNet leaves the base as it was, so quality is not what it is trained for.</param>
    /// <param name="outlines">Of a ControlNet's samples; null without one, or where it was trained on something else.</param>
    public static IEnumerable<string> Of(IReadOnlyList<MeasuredSet> sets, bool steered = false, OutlineFindings? outlines = null)
    {
        MeasuredSet? Row(string key) => sets.FirstOrDefault(set => set.Key == key);
        if (Row(MeasuredSet.Samples) is not { } samples)
            yield break;
        if (samples[SetComparison.KidMean] is { } kid)
            yield return Quality(kid, Before(kid, Row(MeasuredSet.Base)?[SetComparison.KidMean], steered), Row(MeasuredSet.Test)?[SetComparison.KidMean], Row(MeasuredSet.Reconstructions)?[SetComparison.KidMean]);
        if (samples["coverage"] is { } coverage)
            yield return Variety(coverage, Row(MeasuredSet.Test)?["coverage"]);
        if (samples["copies"] is { } copies)
            yield return copies > SampleWatch.MostCopies
                ? $"Copies: {Percent(copies)} of the samples are nearly a photo of the training set: too many; train for fewer steps, on more photos, or with a lower rank or learning rate."
                : $"Copies: {Percent(copies)} of the samples are nearly a photo of the training set; at most {Percent(SampleWatch.MostCopies)} is fine.";
        if (samples["duplicates"] is > SampleWatch.MostCopies and var repeated)
            yield return $"Repetition: {Percent(repeated)} of the samples look like an earlier sample: the model has collapsed onto a few pictures.";
        if (outlines is { Samples: var (asked, others) })
            yield return $"Outlines: F1 {Number(asked)} with the outline that a sample was drawn after, {Number(others)} with those of other samples: {(asked - others > Follows ? "samples follow it" : "samples do not follow it")}.";
    }

    private static string Before(double kid, double? before, bool steered) => before switch
    {
        null => "",
        { } start when steered => $"; the base without these pictures to steer it has {Number(start)}",
        { } start when kid < start => $"; the base without fine-tuning has {Number(start)}, so training removed {Percent((start - kid) / start)} of its distance",
        { } start => $"; the base without fine-tuning has {Number(start)}, so training did not help",
    };

    private static string Quality(double kid, string before, double? real, double? ceiling)
    {
        var text = $"Quality: KID {Number(kid)}, where 0 is as good as photos{before}";
        if (real is { } floor)
            text += $"; photos that were never trained on have {Number(floor)}";
        if (ceiling is { } best) // the two add up: a better decoder takes as much from the samples' distance as from that of the copies
            text += $"; the autoencoder's own copies of photos have {Number(best)}, {(best < kid ? $"so {Percent(Math.Round(best / kid, 2))} of it stays whatever the denoiser learns" : "so nothing that the denoiser learns makes it smaller")}";
        return text + ".";
    }

    private static string Variety(double coverage, double? real) => real switch
    {
        null => $"Variety: samples cover {Percent(coverage)} of the photos' neighbourhoods; without test photos there is no number of real photos beside it.",
        { } floor when coverage >= VariedFrom * floor => $"Variety: samples cover {Percent(coverage)} of the photos' neighbourhoods, real photos {Percent(floor)}: about as varied as photos.",
        { } floor => $"Variety: samples cover {Percent(coverage)} of the photos' neighbourhoods, real photos {Percent(floor)}: less varied than photos, or too far from them to tell.",
    };

    private static string Percent(double share) => (100 * share).ToString("0.#", CultureInfo.InvariantCulture) + " %";

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
