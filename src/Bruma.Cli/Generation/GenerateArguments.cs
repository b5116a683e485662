using Bruma.StableDiffusion;
using Bruma.Text;

namespace Bruma.Cli.Generation;

/// <summary>What the user asked <c>bruma generate</c> for; null where nothing was said.</summary>
internal sealed record GenerateArguments(string? Prompt, string? Class, string? Model)
{
    public string? NegativePrompt { get; init; }

    public string? Style { get; init; }

    public string? Prompt2 { get; init; }

    public string? NegativePrompt2 { get; init; }

    public int? Width { get; init; }

    public int? Height { get; init; }

    public int Count { get; init; } = 1;

    public int? Steps { get; init; }

    public double? GuidanceScale { get; init; }

    public double GuidanceRescale { get; init; }

    public string? Scheduler { get; init; }

    public string? Prediction { get; init; }

    public long Seed { get; init; }

    public double? Eta { get; init; }

    public double? Truncation { get; init; }

    public RandomSource Random { get; init; }

    public Variation? Variation { get; init; }

    public PictureArguments Pictures { get; init; } = new(null, null, null, null);

    public IReadOnlyList<ControlArguments> Controls { get; init; } = [];

    public bool GuessMode { get; init; }

    public IReadOnlyList<string> Loras { get; init; } = [];

    public string? LoraFolder { get; init; }

    public IReadOnlyList<string> Embeddings { get; init; } = [];

    public int ClipSkip { get; init; }

    public PromptSyntax Syntax { get; init; }

    public string Precision { get; init; } = "fp32";

    public int Threads { get; init; }

    public HighResolution? HighResolution { get; init; }

    public bool Tiling { get; init; }

    public (string Model, double Start)? Refiner { get; init; }

    public string? Autoencoder { get; init; }

    public PreviewArguments? Preview { get; init; }

    public string Output { get; init; } = "output.png";

    public int FirstIndex { get; init; } = 1;

    public bool Metadata { get; init; } = true;

    public bool Json { get; init; }
}

/// <summary>Pictures to start from.</summary>
internal sealed record PictureArguments(string? Image, string? Mask, double? Strength, double? ImageGuidanceScale);

/// <summary>One ControlNet.</summary>
internal sealed record ControlArguments(string Model, string Image, double Strength, double Start, double End);

/// <summary>Pictures on the way.</summary>
internal sealed record PreviewArguments(int Every, string Path);
