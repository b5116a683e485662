using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Gans;

/// <summary>What keeps the discriminator smooth.</summary>
/// <param name="UnitSlope">Factor λ of the penalty between real and fake; 0 for none.</param>
/// <param name="RealSlope">γ of R1: adds γ/2 mean ‖∇D(real)‖².</param>
/// <param name="FakeSlope">γ of R2, at the fake images.</param>
/// <param name="Every">Lazy regularisation (Karras et al. 2020, arXiv:1912.04958): only every n-th step, n times as strong.</param>
/// <param name="LastShare">R1 and R2 sink along half a cosine to this share of their γ at the end.</param>
public sealed record GanPenalties(double UnitSlope = 0, double RealSlope = 0, double FakeSlope = 0, int Every = 1, double LastShare = 1);

/// <param name="Steps">Updates of the generator.</param>
/// <param name="DiscriminatorSteps">Updates of the discriminator before each of them.</param>
/// <param name="Schedule">Factor on both learning rates; its base rate is 1. Null is constant.</param>
/// <param name="Augment">Changes images before each judgement, by the generator's draws; null for none.</param>
public sealed record GanTrainerOptions(
    int Steps,
    GanObjective Objective,
    OptimizerOptions Generator,
    OptimizerOptions Discriminator,
    GanPenalties Penalties,
    EmaOptions? Ema = null,
    int DiscriminatorSteps = 1,
    LearningRateSchedule? Schedule = null,
    Func<Tensor, Generator, Tensor>? Augment = null);

/// <summary>What one update of the discriminator did.</summary>
/// <param name="Loss">Without the penalty.</param>
/// <param name="Penalty">With its factor; 0 where it was not due.</param>
/// <param name="GradientNorm">Of loss and penalty together.</param>
/// <param name="Real">Mean logit of real images.</param>
/// <param name="Fake">Mean logit of generated ones.</param>
public sealed record DiscriminatorReport(double Loss, double Penalty, double GradientNorm, double Real, double Fake);

/// <summary>What one step of the game did.</summary>
/// <param name="Discriminator">Its updates, in order.</param>
/// <param name="Loss">The generator's.</param>
/// <param name="GradientNorm">The generator's.</param>
/// <param name="LearningRate">The generator's.</param>
public sealed record GanStepReport(long Step, IReadOnlyList<DiscriminatorReport> Discriminator, double Loss, double GradientNorm, double LearningRate)
{
    /// <summary>The line of <c>stats.jsonl</c>: the generator's loss, and the means over the discriminator's updates.</summary>
    public StepReport ToStepReport() => new(Step, Loss, LearningRate, GradientNorm)
    {
        Extra =
        [
            new("loss_d", Discriminator.Average(update => update.Loss)),
            new("penalty", Discriminator.Average(update => update.Penalty)),
            new("gradient_norm_d", Discriminator.Average(update => update.GradientNorm)),
            new("d_real", Discriminator.Average(update => update.Real)),
            new("d_fake", Discriminator.Average(update => update.Fake)),
        ],
    };
}
