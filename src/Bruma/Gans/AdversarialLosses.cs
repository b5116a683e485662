using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Bruma.Gans;

/// <summary>The two players' losses as functions of logits: r = D(real) and f = D(fake), [B] each; every loss is a mean, 0-D.</summary>
public static class AdversarialLosses
{
    /// <summary>Goodfellow et al. 2014, arXiv:1406.2661: binary cross-entropy on logits.</summary>
    public static Tensor NonSaturatingDiscriminator(Tensor r, Tensor f) => (softplus(-r) + softplus(f)).mean();

    public static Tensor NonSaturatingGenerator(Tensor f) => softplus(-f).mean();

    /// <summary>The original zero-sum form, whose gradient vanishes when the discriminator is sure.</summary>
    public static Tensor MinimaxGenerator(Tensor f) => -softplus(f).mean();

    /// <summary>Lim and Ye 2017, arXiv:1705.02894.</summary>
    public static Tensor HingeDiscriminator(Tensor r, Tensor f) => (relu(1 - r) + relu(1 + f)).mean();

    public static Tensor HingeGenerator(Tensor f) => -f.mean();

    /// <summary>Arjovsky et al. 2017, arXiv:1701.07875; minus this is the estimated distance.</summary>
    public static Tensor WassersteinDiscriminator(Tensor r, Tensor f) => f.mean() - r.mean();

    public static Tensor WassersteinGenerator(Tensor f) => -f.mean();

    /// <summary>Mao et al. 2017, arXiv:1611.04076.</summary>
    public static Tensor LeastSquaresDiscriminator(Tensor r, Tensor f) => ((r - 1).square() + f.square()).mean() * 0.5;

    public static Tensor LeastSquaresGenerator(Tensor f) => (f - 1).square().mean() * 0.5;

    /// <summary>Relativistic pairing (Jolicoeur-Martineau 2018; Huang et al. 2025, arXiv:2501.05441): the i-th real against the i-th fake.</summary>
    public static Tensor RelativisticDiscriminator(Tensor r, Tensor f) => softplus(f - r).mean();

    public static Tensor RelativisticGenerator(Tensor r, Tensor f) => softplus(r - f).mean();

    /// <summary>Each side against the other's average (Jolicoeur-Martineau 2018, arXiv:1807.00734).</summary>
    public static Tensor RelativisticAverageHingeDiscriminator(Tensor r, Tensor f) => (relu(1 - (r - f.mean())).mean() + relu(1 + (f - r.mean())).mean()) * 0.5;

    public static Tensor RelativisticAverageHingeGenerator(Tensor r, Tensor f) => RelativisticAverageHingeDiscriminator(f, r);
}

/// <summary>A pair of losses.</summary>
/// <param name="Discriminator">Of r and f.</param>
/// <param name="Generator">Of r and f; r is null unless <paramref name="IsRelativistic"/>.</param>
/// <param name="IsRelativistic">The generator's loss looks at the real images too.</param>
public sealed record GanObjective(string Name, Func<Tensor, Tensor, Tensor> Discriminator, Func<Tensor?, Tensor, Tensor> Generator, bool IsRelativistic = false)
{
    public static readonly GanObjective NonSaturating = new("non-saturating", AdversarialLosses.NonSaturatingDiscriminator, (_, f) => AdversarialLosses.NonSaturatingGenerator(f));
    public static readonly GanObjective LeastSquares = new("least squares", AdversarialLosses.LeastSquaresDiscriminator, (_, f) => AdversarialLosses.LeastSquaresGenerator(f));
    public static readonly GanObjective Wasserstein = new("Wasserstein", AdversarialLosses.WassersteinDiscriminator, (_, f) => AdversarialLosses.WassersteinGenerator(f));
    public static readonly GanObjective Hinge = new("hinge", AdversarialLosses.HingeDiscriminator, (_, f) => AdversarialLosses.HingeGenerator(f));
    public static readonly GanObjective Relativistic = new("relativistic pairing", AdversarialLosses.RelativisticDiscriminator, (r, f) => AdversarialLosses.RelativisticGenerator(r!, f), IsRelativistic: true);
}
