using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bruma.Hub;

/// <summary>What a model folder says about itself beyond the diffusers layout: <c>bruma.json</c>.</summary>
/// <param name="Description">One line for people.</param>
/// <param name="Classes">Names of the classes, in the order of their indices; null for a model without classes.</param>
/// <param name="Steps">Denoising steps that suit the model.</param>
/// <param name="GuidanceScale">Guidance that suits the model; 1 means none.</param>
/// <param name="Size">Height and width of its pictures in pixels.</param>
/// <param name="Precision">Precision that it was trained in.</param>
/// <param name="Styles">Words that prompts may end with, as in <c>, flat style</c>; null for a model without such.</param>
public sealed record ModelDefaults(
    string? Description = null,
    IReadOnlyList<string>? Classes = null,
    int? Steps = null,
    double? GuidanceScale = null,
    int? Size = null,
    string? Precision = null,
    IReadOnlyList<string>? Styles = null)
{
    public const string FileName = "bruma.json";

    /// <summary>The file of a model folder; empty defaults where it is missing.</summary>
    public static ModelDefaults Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return new ModelDefaults();
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ModelDefaultsJson.Default.ModelDefaults)!;
        }
        catch (JsonException e)
        {
            throw new BrumaException($"{path}: not readable ({e.Message.TrimEnd('.')}); correct it or delete it.", e);
        }
    }

    public void Write(string folder) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, ModelDefaultsJson.Default.ModelDefaults) + "\n");
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelDefaults))]
internal sealed partial class ModelDefaultsJson : JsonSerializerContext;
