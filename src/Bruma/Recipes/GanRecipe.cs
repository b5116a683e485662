using Bruma.Gans;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>What each objective of <c>bruma train gan</c> stands for: losses, norms, rates and penalties that go together.</summary>
/// <param name="DiscriminatorSteps">Updates of the discriminator per update of the generator.</param>
/// <param name="Normalised">Batch norms in the generator.</param>
/// <param name="UnitSlope">λ of the gradient penalty.</param>
/// <param name="ZeroSlope">γ of R1 and R2.</param>
public sealed record GanRecipe(
    string Name,
    GanObjective Objective,
    double LearningRate,
    double Beta1,
    double Beta2,
    int DiscriminatorSteps = 1,
    bool Normalised = true,
    bool SpectralNorm = false,
    double UnitSlope = 0,
    double ZeroSlope = 0,
    double LastSlopeShare = 1,
    ClassConditioning Conditioning = ClassConditioning.None)
{
    /// <summary>The objectives by name.</summary>
    public static readonly IReadOnlyList<GanRecipe> All =
    [
        new("dcgan", GanObjective.NonSaturating, 5e-4, 0.5, 0.999),
        new("lsgan", GanObjective.LeastSquares, 5e-4, 0.5, 0.999),
        new("wgan-gp", GanObjective.Wasserstein, 5e-4, 0, 0.9, DiscriminatorSteps: 5, UnitSlope: 10),
        new("hinge", GanObjective.Hinge, 5e-4, 0, 0.9, SpectralNorm: true),
        new("projection", GanObjective.Hinge, 5e-4, 0, 0.9, SpectralNorm: true, Conditioning: ClassConditioning.Projection),
        new("acgan", GanObjective.NonSaturating, 5e-4, 0.5, 0.999, Conditioning: ClassConditioning.AuxiliaryClassifier),
        new("r3gan", GanObjective.Relativistic, 5e-4, 0, 0.99, Normalised: false, ZeroSlope: 10, LastSlopeShare: 0.1),
    ];

    public static readonly IReadOnlyList<string> Names = [.. All.Select(recipe => recipe.Name)];

    /// <exception cref="BrumaException">The name is unknown.</exception>
    public static GanRecipe Find(string name) =>
        All.FirstOrDefault(recipe => recipe.Name == name) ?? throw new BrumaException($"{name}: no such objective; known are {string.Join(", ", Names)}.");

    public bool NeedsClasses => Conditioning != ClassConditioning.None;

    /// <summary>Fills in what the options leave to the objective.</summary>
    public GanOptions Settle(GanOptions options) => options with
    {
        Architecture = options.Architecture ?? (Normalised ? "dcgan" : "resnet"),
        LearningRate = options.LearningRate ?? LearningRate,
        DiscriminatorLearningRate = options.DiscriminatorLearningRate ?? options.LearningRate ?? LearningRate,
        DiscriminatorSteps = options.DiscriminatorSteps ?? DiscriminatorSteps,
        PenaltyWeight = options.PenaltyWeight ?? Math.Max(UnitSlope, ZeroSlope),
    };

    /// <param name="options">Settled.</param>
    public GanShape Shape(GanOptions options, int channels, int classes) =>
        new(options.Architecture!, options.Resolution, channels, options.LatentWidth, Normalised, SpectralNorm, Conditioning, NeedsClasses ? classes : 0);

    /// <param name="options">Settled.</param>
    public GanTrainerOptions TrainerOptions(GanOptions options)
    {
        var weight = options.PenaltyWeight!.Value;
        var groups = options.Augmentations;
        return new GanTrainerOptions(
            options.Steps,
            Objective,
            new AdamOptions(options.LearningRate!.Value, Beta1, Beta2),
            new AdamOptions(options.DiscriminatorLearningRate!.Value, Beta1, Beta2),
            new GanPenalties(UnitSlope > 0 ? weight : 0, ZeroSlope > 0 ? weight : 0, ZeroSlope > 0 ? weight : 0, options.PenaltyEvery, LastSlopeShare),
            options.EmaDecay > 0 ? new EmaOptions(options.EmaDecay) : null,
            options.DiscriminatorSteps!.Value,
            null,
            groups.Count == 0 ? null : (Tensor images, Generator random) => DiffAugment.Apply(images, groups, random));
    }
}
