using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>How well a drawn picture's outline follows the one that was asked for.</summary>
/// <param name="Precision">Share of the drawn outline that lies near the asked one; 1 where nothing is drawn.</param>
/// <param name="Recall">Share of the asked outline that lies near the drawn one; 1 where nothing is asked.</param>
public sealed record EdgeAgreement(double Precision, double Recall)
{
    /// <summary>Harmonic mean of both.</summary>
    public double F1 => Precision + Recall == 0 ? 0 : 2 * Precision * Recall / (Precision + Recall);

    /// <param name="asked">Above 0 on the outline, [1, H, W].</param>
    /// <param name="drawn">The same of the drawn picture.</param>
    /// <param name="within">How many pixels beside a line still count as on it, along both axes.</param>
    public static EdgeAgreement Of(Tensor asked, Tensor drawn, int within = 1)
    {
        if (!asked.shape.SequenceEqual(drawn.shape))
            throw new BrumaException($"outlines of [{string.Join(", ", asked.shape)}] and [{string.Join(", ", drawn.shape)}] cannot be compared; bring both pictures to one size.");
        using var scope = NewDisposeScope();
        var (a, d) = (asked.gt(0), drawn.gt(0));
        return new EdgeAgreement(Share(d, Near(a, within)), Share(a, Near(d, within)));
    }

    /// <summary>Mean F1 of pictures with the outlines that they were drawn after, and with all the outlines of the others: what agrees by chance.</summary>
    /// <returns>The second is 0 for a single picture.</returns>
    public static (double Asked, double Others) MeanF1(IReadOnlyList<Tensor> asked, IReadOnlyList<Tensor> drawn, int within = 1)
    {
        var (own, others) = (0.0, 0.0);
        for (var i = 0; i < drawn.Count; i++)
            for (var j = 0; j < asked.Count; j++)
                if (i == j)
                    own += Of(asked[j], drawn[i], within).F1;
                else
                    others += Of(asked[j], drawn[i], within).F1;
        return (own / drawn.Count, drawn.Count > 1 ? others / (drawn.Count * (drawn.Count - 1.0)) : 0);
    }

    private static double Share(Tensor places, Tensor near)
    {
        var count = places.sum().item<long>();
        return count == 0 ? 1 : places.logical_and(near).sum().item<long>() / (double)count;
    }

    private static Tensor Near(Tensor places, int within) =>
        nn.functional.max_pool2d(places.to(float32).unsqueeze(0), [2 * within + 1, 2 * within + 1], [1, 1], [within, within]).squeeze(0).gt(0);
}
