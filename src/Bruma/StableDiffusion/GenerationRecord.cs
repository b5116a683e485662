using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>A picture that went into another, by file.</summary>
/// <param name="Name">Path as the user gave it; null for a picture that never was a file.</param>
/// <param name="Sha256">Of its pixels, [C, H, W].</param>
public sealed record PictureReference(string? Name, string Sha256);

/// <summary>The start picture of a record.</summary>
public sealed record StartRecord(PictureReference Picture, PictureReference? Mask, double? Strength, double ImageGuidanceScale);

/// <summary>A ControlNet of a record.</summary>
public sealed record ControlRecord(NamedFile Model, PictureReference Picture, double Strength, double Start, double End);

/// <summary>Everything that it takes to draw one picture again: what <c>bruma replay</c> reads.</summary>
/// <param name="Version">Of Bruma.</param>
/// <param name="Scheduler">The whole <c>scheduler_config.json</c>.</param>
/// <param name="FirstWidth">Of the first of two passes; <paramref name="Width"/> is that of the result.</param>
/// <param name="FirstHeight">See <paramref name="FirstWidth"/>.</param>
/// <param name="Autoencoder">In place of the model's own.</param>
/// <param name="Refiner">Went on where <paramref name="DenoisingEnd"/> says, and decoded.</param>
/// <param name="Threads">Sums are split by them: other numbers may change last bits.</param>
public sealed record GenerationRecord(
    string Version,
    NamedFile Model,
    string Prompt,
    string? NegativePrompt,
    long Seed,
    int Width,
    int Height,
    int Steps,
    double GuidanceScale,
    JsonObject Scheduler,
    string Precision,
    int Threads,
    RandomSource Random = RandomSource.Cpu,
    PromptSyntax Syntax = PromptSyntax.Plain,
    double GuidanceRescale = 0,
    string? Prompt2 = null,
    string? NegativePrompt2 = null,
    IReadOnlyList<double>? Timesteps = null,
    double? Eta = null,
    int? ClipSkip = null,
    Variation? Variation = null,
    XlSizes? Sizes = null,
    double? DenoisingEnd = null,
    StartRecord? Start = null,
    IReadOnlyList<ControlRecord>? Controls = null,
    bool GuessMode = false,
    HighResolution? HighResolution = null,
    int? FirstWidth = null,
    int? FirstHeight = null,
    bool Tiling = false,
    IReadOnlyList<NamedFile>? Adapters = null,
    IReadOnlyList<NamedFile>? Embeddings = null,
    NamedFile? Autoencoder = null,
    NamedFile? Refiner = null)
{
    internal static GenerationRecord Of(string prompt, ImageRequest request, PictureSize first, StableDiffusionPipeline pipeline, StableDiffusionPipeline? refiner)
    {
        var identity = pipeline.Identity;
        return new GenerationRecord(
            typeof(GenerationRecord).Assembly.GetName().Version?.ToString(3) ?? "",
            new NamedFile(identity.Name, identity.Path),
            prompt,
            request.NegativePrompt,
            request.Seed,
            request.Width!.Value,
            request.Height!.Value,
            request.Steps!.Value,
            request.GuidanceScale ?? pipeline.Standard.GuidanceScale,
            (request.Scheduler ?? pipeline.Scheduler).ToJson(),
            identity.Precision,
            get_num_threads(),
            request.Random,
            request.Syntax,
            request.GuidanceRescale,
            request.Prompt2,
            request.NegativePrompt2,
            request.Timesteps,
            request.Eta,
            request.ClipSkip,
            request.Variation,
            pipeline.Prompts.IsXl && request.Sizes != new XlSizes() ? request.Sizes : null,
            request.DenoisingEnd,
            request.Start is { } start ? new StartRecord(PictureOf(start.Pixels, start.File), start.Mask is { } mask ? PictureOf(mask, start.MaskFile) : null, start.Strength, start.ImageGuidanceScale) : null,
            request.Controls.Count == 0 ? null : [.. request.Controls.Select(control => new ControlRecord(control.Model ?? new NamedFile(""), PictureOf(control.Picture, control.File), control.Strength, control.Start, control.End))],
            request.GuessMode,
            request.HighResolution,
            request.HighResolution is null ? null : first.Width,
            request.HighResolution is null ? null : first.Height,
            request.Tiling,
            identity.Adapters.Count == 0 ? null : identity.Adapters,
            identity.Embeddings.Count == 0 ? null : identity.Embeddings,
            identity.Autoencoder,
            refiner is null ? null : new NamedFile(refiner.Identity.Name, refiner.Identity.Path));
    }

    /// <summary>With the sums of all files of weights, which are computed now where they are not known.</summary>
    public GenerationRecord Hashed() => this with
    {
        Model = ModelIdentity.Hashed(Model),
        Adapters = Adapters is null ? null : [.. Adapters.Select(ModelIdentity.Hashed)],
        Embeddings = Embeddings is null ? null : [.. Embeddings.Select(ModelIdentity.Hashed)],
        Autoencoder = Autoencoder is null ? null : ModelIdentity.Hashed(Autoencoder),
        Refiner = Refiner is null ? null : ModelIdentity.Hashed(Refiner),
        Controls = Controls is null ? null : [.. Controls.Select(control => control with { Model = ModelIdentity.Hashed(control.Model) })],
    };

    public string ToJson() => JsonSerializer.Serialize(this, Json.GenerationRecord);

    /// <exception cref="BrumaException">It is no record, or of a newer Bruma that has more to say.</exception>
    public static GenerationRecord FromJson(string json, string origin)
    {
        try
        {
            return JsonSerializer.Deserialize(json, Json.GenerationRecord) ?? throw new BrumaException($"{origin}: the record of Bruma is empty.");
        }
        catch (JsonException e)
        {
            throw new BrumaException($"{origin}: the record of Bruma is damaged ({e.Message.Split('\n')[0].TrimEnd('.')}).", e);
        }
    }

    internal static PictureReference PictureOf(Tensor pixels, string? file)
    {
        using var scope = NewDisposeScope();
        return new PictureReference(file, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([.. pixels.contiguous().data<byte>()])));
    }

    private static readonly GenerationRecordJson Json = new(new JsonSerializerOptions(GenerationRecordJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(GenerationRecord))]
internal sealed partial class GenerationRecordJson : JsonSerializerContext;
