using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Where the parts of a pipeline lie: a diffusers folder or a single file, parts of which may come from elsewhere.</summary>
/// <param name="Folder">With <c>model_index.json</c> and a folder for each part; or a checkpoint in one file (see <see cref="SingleFile"/>).</param>
/// <param name="Components">Folders that replace those of the same name (<c>unet</c>, <c>vae</c>, <c>text_encoder</c>, ...).</param>
/// <param name="Vocabulary">Folder with the <c>vocab.json</c> and <c>merges.txt</c> of all tokenizers; null for their own.</param>
/// <param name="Variant">Variant of the weights, such as <c>fp16</c>; null for the plain ones, or the only one there is.</param>
/// <param name="ForceZeros">Overrides <c>force_zeros_for_empty_prompt</c> of the folder.</param>
public sealed record ModelSources(string Folder, IReadOnlyDictionary<string, string>? Components = null, string? Vocabulary = null, string? Variant = null, bool? ForceZeros = null)
{
    internal const string BaseKey = "_bruma_base"; // diffusers passes over keys that begin so

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>What a single file's U-Net predicts, where its family's default is wrong; null for the default.</summary>
    public PredictionType? Prediction { get; init; }

    /// <summary>Folder of configs for a single file whose sizes are not its family's; null for the family's.</summary>
    public string? Configs { get; init; }

    /// <summary>Whether the model is one file.</summary>
    public bool IsSingleFile => SingleFile.Is(Folder);

    /// <summary>The class that <c>model_index.json</c> names, or that the family of a single file has; null when the folder names none.</summary>
    public string? ClassName => IsSingleFile ? FromFile(file => file.Family.Pipeline) : Setting("_class_name") is { ValueKind: JsonValueKind.String } name ? name.GetString() : null;

    /// <summary>Whether no negative prompt means zeros; only XL models ask.</summary>
    public bool ZerosWithoutNegative => ForceZeros ?? (IsSingleFile ? FromFile(file => file.Family.ZerosWithoutNegative) : Setting("force_zeros_for_empty_prompt") is not { ValueKind: JsonValueKind.False });

    /// <summary>The names of <c>id2label</c>, by index; null where the folder has none or leaves some out.</summary>
    internal IReadOnlyList<string>? ClassNames
    {
        get
        {
            if (Setting("id2label") is not { ValueKind: JsonValueKind.Object } labels)
                return null;
            var names = labels.EnumerateObject().Where(entry => entry.Value.ValueKind == JsonValueKind.String).ToDictionary(entry => entry.Name, entry => entry.Value.GetString()!, StringComparer.Ordinal);
            var ordered = Enumerable.Range(0, names.Count).Select(i => names.GetValueOrDefault(i.ToString(CultureInfo.InvariantCulture))).ToList();
            return names.Count > 0 && ordered.TrueForAll(name => name is not null) ? ordered.ConvertAll(name => name!) : null;
        }
    }

    /// <summary>The folder that gives the parts which this one lacks: <c>_bruma_base</c> of <c>model_index.json</c>, relative to this one; null for none.</summary>
    /// <exception cref="BrumaException">It is not there.</exception>
    public string? Base
    {
        get
        {
            if (Setting(BaseKey) is not { ValueKind: JsonValueKind.String } name)
                return null;
            var path = Path.GetFullPath(Path.Combine(Folder, name.GetString()!));
            return Directory.Exists(path) ? path : throw new BrumaException($"{Path.Combine(Folder, HubFiles.Index)}: \"{BaseKey}\" is \"{name.GetString()}\", where no folder is; put the model that this one builds on there.");
        }
    }

    /// <summary>This folder and its base.</summary>
    internal IEnumerable<string> Folders => Base is { } other ? [Folder, other] : [Folder];

    /// <summary>The folders of all parts, those that the base gives too.</summary>
    public IEnumerable<string> Parts => Folders.SelectMany(Directory.EnumerateDirectories).DistinctBy(Path.GetFileName);

    public bool Has(string component) => IsReplaced(component) || (IsSingleFile ? FromFile(file => file.Has(component)) : Directory.Exists(PathOf(component)));

    public string PathOf(string component)
    {
        if (Components?.GetValueOrDefault(component) is { } other)
            return other;
        var own = Path.Combine(Folder, component);
        return !Directory.Exists(own) && Base is { } given ? Path.Combine(given, component) : own;
    }

    /// <param name="dtype">The type of the weights, in which the network computes.</param>
    public UNet2DConditionModel LoadUNet(ScalarType dtype = ScalarType.Float32) =>
        IsInFile("unet") ? FromFile(file => file.LoadUNet(dtype)) : UNet2DConditionModel.Load(PathOf("unet"), Variant, dtype);

    /// <inheritdoc cref="LoadUNet"/>
    public AutoencoderKl LoadAutoencoder(ScalarType dtype = ScalarType.Float32) =>
        IsInFile("vae") ? FromFile(file => file.LoadAutoencoder(dtype)) : AutoencoderKl.Load(PathOf("vae"), Variant, dtype);

    /// <inheritdoc cref="LoadUNet"/>
    public ClipTextModel LoadTextEncoder(ScalarType dtype = ScalarType.Float32) =>
        IsInFile("text_encoder") ? FromFile(file => file.LoadTextEncoder("text_encoder", dtype)) : ClipTextModel.Load(PathOf("text_encoder"), Variant, dtype);

    /// <inheritdoc cref="LoadUNet"/>
    public ClipTextModelWithProjection LoadSecondTextEncoder(ScalarType dtype = ScalarType.Float32) =>
        IsInFile("text_encoder_2") ? FromFile(file => file.LoadProjectedTextEncoder("text_encoder_2", dtype)) : ClipTextModelWithProjection.Load(PathOf("text_encoder_2"), Variant, dtype);

    public SchedulerConfig LoadScheduler() =>
        IsInFile("scheduler") ? FromFile(file => file.Scheduler(Prediction)) : SchedulerConfig.Load(Path.Combine(PathOf("scheduler"), "scheduler_config.json"));

    /// <summary>A file of this folder as it must be in one that has all parts itself.</summary>
    internal byte[] Standalone(string file)
    {
        var text = File.ReadAllBytes(file);
        if (Path.GetFileName(file) != HubFiles.Index || Base is null)
            return text;
        var index = JsonNode.Parse(text)!.AsObject();
        index.Remove(BaseKey);
        return Encoding.UTF8.GetBytes(index.ToJsonString(Indented) + "\n");
    }

    internal Tokenizer Tokenizer(string component) => IsInFile(component) ? FromFile(file => file.LoadTokenizer(component)) : Text.Tokenizer.Load(PathOf(component), Vocabulary);

    private bool IsReplaced(string component) => Components?.ContainsKey(component) == true;

    private bool IsInFile(string component) => IsSingleFile && !IsReplaced(component);

    private T FromFile<T>(Func<SingleFile, T> read)
    {
        using var file = SingleFile.Open(Folder, Configs);
        return read(file);
    }

    private JsonElement? Setting(string key)
    {
        var index = Path.Combine(Folder, HubFiles.Index);
        if (!File.Exists(index))
            return null;
        using var json = PythonJson.ParseFile(index);
        return json.RootElement.TryGetProperty(key, out var value) ? value.Clone() : null;
    }
}
