using System.Text.Json;
using Bruma.Hub;
using Bruma.Text;

namespace Bruma.StableDiffusion;

/// <summary>Where the parts of a pipeline lie: a diffusers folder, parts of which may come from elsewhere.</summary>
/// <param name="Folder">With <c>model_index.json</c> and a folder for each part.</param>
/// <param name="Components">Folders that replace those of the same name (<c>unet</c>, <c>vae</c>, <c>text_encoder</c>, ...).</param>
/// <param name="Vocabulary">Folder with the <c>vocab.json</c> and <c>merges.txt</c> of all tokenizers; null for their own.</param>
/// <param name="Variant">Variant of the weights, such as <c>fp16</c>; null for the plain ones, or the only one there is.</param>
/// <param name="ForceZeros">Overrides <c>force_zeros_for_empty_prompt</c> of the folder.</param>
public sealed record ModelSources(string Folder, IReadOnlyDictionary<string, string>? Components = null, string? Vocabulary = null, string? Variant = null, bool? ForceZeros = null)
{
    /// <summary>The class that <c>model_index.json</c> names; null when it names none.</summary>
    public string? ClassName => Setting("_class_name") is { ValueKind: JsonValueKind.String } name ? name.GetString() : null;

    /// <summary>Whether no negative prompt means zeros; only XL models ask.</summary>
    public bool ZerosWithoutNegative => ForceZeros ?? Setting("force_zeros_for_empty_prompt") is not { ValueKind: JsonValueKind.False };

    /// <summary>Whether the refiner is told how good the picture should look.</summary>
    public bool RequiresAestheticsScore => Setting("requires_aesthetics_score") is { ValueKind: JsonValueKind.True };

    public bool Has(string component) => Components?.ContainsKey(component) == true || Directory.Exists(Path.Combine(Folder, component));

    public string PathOf(string component) => Components?.GetValueOrDefault(component) ?? Path.Combine(Folder, component);

    internal Tokenizer Tokenizer(string component) => Text.Tokenizer.Load(PathOf(component), Vocabulary);

    private JsonElement? Setting(string key)
    {
        var index = Path.Combine(Folder, "model_index.json");
        if (!File.Exists(index))
            return null;
        using var json = PythonJson.ParseFile(index);
        return json.RootElement.TryGetProperty(key, out var value) ? value.Clone() : null;
    }
}
