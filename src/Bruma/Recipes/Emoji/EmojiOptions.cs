using System.Text.Json;

namespace Bruma.Recipes.Emoji;

/// <summary>Everything that decides a whole run of the emoji recipe: <c>config.json</c> of its run folder.</summary>
/// <param name="Data">Folder of the built data set.</param>
/// <param name="Photos">Folder of the pets photos for the autoencoder; null trains without them.</param>
/// <param name="Garments">Whether Fashion-MNIST is there for the autoencoder.</param>
/// <param name="Quick">Two minutes for everything, to see that it learns.</param>
/// <param name="Size">Side of the pictures, 64 or 128.</param>
/// <param name="Only">The one stage to run; null runs all, one after the other.</param>
/// <param name="Steps">Of the one stage; null for its own number.</param>
/// <param name="Stages">Another run whose finished stages the denoiser builds on; null for this run's own.</param>
public sealed record EmojiOptions(string Data, string? Photos = null, bool Garments = true, bool Quick = false, int Size = 128, string? Only = null, int? Steps = null, string? Stages = null, long Seed = 0, string Precision = "fp32", int Threads = 0)
{
    public const string RecipeName = "emoji";

    /// <summary>Names the recipe in <c>config.json</c>, so that <c>resume</c> knows what to run.</summary>
    public string Recipe { get; init; } = RecipeName;

    /// <summary>Refuses values that no run could have, each by its option's name.</summary>
    public EmojiOptions Checked()
    {
        if (Size is not (64 or 128))
            throw new BrumaException($"--resolution {Size}: must be 64 or 128 for this recipe.");
        if (Only is not null && !EmojiTraining.StageNames.Contains(Only))
            throw new BrumaException($"--only {Only}: must be one of {string.Join(", ", EmojiTraining.StageNames)}.");
        if (Steps is not null && (Only is null || Steps < 1))
            throw new BrumaException($"--steps {Steps}: {(Only is null ? $"stages have steps of their own; name one with --only ({string.Join(", ", EmojiTraining.StageNames)})" : "must be at least 1")}.");
        return this;
    }

    internal string ToJson() => JsonSerializer.Serialize(this, EmojiOptionsJson.Default.EmojiOptions) + "\n";

    internal EmojiVaeOptions Vae()
    {
        var options = Quick ? EmojiVaeOptions.Quick(Data) : Size == 64 ? EmojiVaeOptions.Small(Data) : EmojiVaeOptions.Large(Data);
        return options with { Steps = Steps ?? options.Steps, Photos = Quick ? null : Photos, Garments = Garments && options.Garments, Seed = Seed, Precision = Precision, Threads = Threads };
    }

    internal EmojiTextOptions Text() => Ours(Quick ? EmojiTextOptions.Quick(Data) : EmojiTextOptions.TextEncoder(Data), Seed);

    internal EmojiTextOptions Scorer() => Ours(Quick ? EmojiTextOptions.Quick(Data) with { SeesAll = true } : EmojiTextOptions.Scorer(Data), Seed + 1);

    /// <param name="run">Whose stages it builds on.</param>
    internal EmojiUnetOptions Unet(string run)
    {
        var options = Quick ? EmojiUnetOptions.Quick(Data, Stages ?? run) : new EmojiUnetOptions(Data, Stages ?? run);
        return options with { Steps = Steps ?? options.Steps, Seed = Seed, Precision = Precision, Threads = Threads };
    }

    private EmojiTextOptions Ours(EmojiTextOptions options, long seed) => options with { Steps = Steps ?? options.Steps, Seed = seed, Precision = Precision, Threads = Threads };
}
