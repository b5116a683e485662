using Bruma.Gans;
using Bruma.StableDiffusion;
using Bruma.Training;

namespace Bruma.Recipes.Emoji;

/// <summary>Everything that decides the training of the autoencoder: <c>config.json</c> of its run folder.</summary>
/// <param name="Data">Folder of the built data set.</param>
/// <param name="Photos">Folder of the pets photos, of which the squares that fine-tuning takes are cut; null trains without photos.</param>
/// <param name="Garments">Whether Fashion-MNIST is among the other pictures.</param>
/// <param name="Size">Side of the pictures, 64 or 128.</param>
/// <param name="Widths">From the pictures inwards; each level but the last halves the resolution.</param>
/// <param name="Groups">Of the norms.</param>
/// <param name="OtherShare">Share of pictures that are no emoji.</param>
/// <param name="KlWeight">Of the divergence summed over a picture's latents.</param>
/// <param name="FeatureWeight">Of the distance in the features of the text stage's picture network, where that stage is beside this one.</param>
/// <param name="FeaturesFrom">Share of the steps before which features do not count.</param>
/// <param name="Tiles">Whether plain tiles are among the other pictures.</param>
/// <param name="AdversaryWeight">Of a discriminator of patches, which sees what is blurred; 0 leaves it out.</param>
/// <param name="From">Folder of a finished autoencoder whose decoder alone is trained on, so that its latents stay what they are; null trains both halves from scratch.</param>
public sealed record EmojiVaeOptions(
    string Data,
    string? Photos = null,
    bool Garments = true,
    int Size = 128,
    int LatentChannels = 8,
    int[]? Widths = null,
    int Groups = 16,
    int Steps = 10_000,
    int BatchSize = 32,
    double LearningRate = 1e-3,
    int WarmupSteps = 200,
    double EmaDecay = 0.999,
    double OtherShare = 0.15,
    double KlWeight = 1e-6,
    double FeatureWeight = 0.1,
    double FeaturesFrom = 0.8,
    int MeasureEvery = 250,
    long Seed = 0,
    string Precision = "fp32",
    int Threads = 0,
    bool Tiles = true,
    double AdversaryWeight = 0,
    string? From = null)
{
    public const string RecipeName = "emoji-vae";

    private const double RefiningRate = 5e-4;
    private const double RefinedPhotos = 0.5;
    private const double AdversaryAlone = 0.05;

    /// <summary>Names the recipe in <c>config.json</c>, so that <c>resume</c> knows what to run.</summary>
    public string Recipe { get; init; } = RecipeName;

    public int[] Widths { get; init; } = Widths ?? [16, 32, 64, 96];

    /// <summary>64 px with latents of 16x16 and 4 channels.</summary>
    public static EmojiVaeOptions Small(string data) => new(data, Size: 64, LatentChannels: 4, Widths: [32, 64, 96], Groups: 32);

    /// <summary>128 px with latents of 16x16 and 8 channels: what ships.</summary>
    public static EmojiVaeOptions Large(string data) => new(data);

    /// <summary>More steps for the decoder of a finished autoencoder of the layout that <see cref="Large"/> or <see cref="Small"/> has: emoji and photos alone, features from the first step.</summary>
    /// <param name="model">Folder of the autoencoder.</param>
    public EmojiVaeOptions Refining(string model, int steps)
    {
        var network = AutoencoderKl.ReadConfig(model);
        return this with
        {
            From = model,
            Steps = steps,
            Size = network.SampleSize?.Height ?? Size,
            LatentChannels = network.LatentChannels,
            Widths = [.. network.BlockOutChannels],
            Groups = network.NormNumGroups,
            Garments = false,
            Tiles = false,
            OtherShare = Photos is null ? 0 : RefinedPhotos,
            LearningRate = RefiningRate,
            WarmupSteps = Math.Min(WarmupSteps, steps / 10),
            KlWeight = 0,
            FeaturesFrom = 0,
        };
    }

    /// <summary>Two minutes for everything: small enough to be seen to learn.</summary>
    public static EmojiVaeOptions Quick(string data) => new(data, Garments: false, Size: 64, LatentChannels: 4, Widths: [16, 32, 32], Steps: 60, BatchSize: 16, WarmupSteps: 5, EmaDecay: 0.9, MeasureEvery: 30, OtherShare: 0);

    internal EmojiStageSettings Settings => new("autoencoder", Steps, BatchSize, MeasureEvery, Threads);

    /// <summary>Scaling factor 1: the latents are normalised by the weights themselves.</summary>
    public AutoencoderKlConfig Network => new(
        DownBlockTypes: [.. Widths.Select(_ => "DownEncoderBlock2D")], UpBlockTypes: [.. Widths.Select(_ => "UpDecoderBlock2D")], BlockOutChannels: Widths,
        LayersPerBlock: 1, LatentChannels: LatentChannels, NormNumGroups: Groups, SampleSize: Size, ScalingFactor: 1, ForceUpcast: false);

    internal PatchAdversaryOptions Adversary => new(AdversaryWeight, (long)(AdversaryAlone * Steps), Seed: Seed);

    internal TrainerOptions Trainer => new(
        Steps, new LearningRateSchedule("cosine", LearningRate, WarmupSteps, Steps), new AdamWOptions(LearningRate), new EmaOptions(EmaDecay), Seed: Seed);
}
