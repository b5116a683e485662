using System.Text.Encodings.Web;
using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Recipes.Finetuning;

/// <summary>The names of a model's classes beside its weights: <c>labels.json</c>, a list.</summary>
public static class LabelFile
{
    public const string Name = "labels.json";

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(string folder, IReadOnlyList<string> labels) => AtomicFile.WriteText(Path.Combine(folder, Name), JsonSerializer.Serialize(labels, Readable) + "\n");

    /// <exception cref="BrumaException">The file is missing or no list of as many names.</exception>
    public static IReadOnlyList<string> Read(string folder, long classes)
    {
        var path = Path.Combine(folder, Name);
        try
        {
            var labels = JsonSerializer.Deserialize<List<string>>(File.ReadAllBytes(path))!;
            return labels.Count == classes ? labels : throw new BrumaException($"{path}: names {labels.Count} classes but the network has {classes}; copy the file that belongs to it.");
        }
        catch (FileNotFoundException e)
        {
            throw new BrumaException($"{path}: missing; a folder that bruma finetune wrote names its classes there.", e);
        }
        catch (JsonException e)
        {
            throw new BrumaException($"{path}: no list of names; expected [\"first\", \"second\", ...].", e);
        }
    }
}
