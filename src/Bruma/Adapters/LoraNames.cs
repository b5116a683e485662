using static TorchSharp.torch.nn;

namespace Bruma.Adapters;

/// <summary>All names under which files may mean the layers of a model, made from the model's own list of layers: underscores cannot be split back into dots.</summary>
internal sealed class LoraNames
{
    private static readonly Dictionary<string, string[]> KohyaPrefixes = new(StringComparer.Ordinal)
    {
        ["unet"] = ["lora_unet_"],
        ["text_encoder"] = ["lora_te_", "lora_te1_"],
        ["text_encoder_2"] = ["lora_te2_"],
    };

    /// <summary>The first names of CLIP's projections in files of diffusers.</summary>
    private static readonly (string Now, string Then)[] FirstNames =
        [(".to_out.0", ".to_out"), (".q_proj", ".to_q"), (".k_proj", ".to_k"), (".v_proj", ".to_v"), (".out_proj", ".to_out")];

    private readonly Dictionary<string, (string Component, string Layer)> _byName = new(StringComparer.Ordinal);

    /// <param name="components">Networks by the name of their part; the order decides whose layer a bare name is.</param>
    public LoraNames(IReadOnlyDictionary<string, Module> components)
    {
        foreach (var (component, network) in components)
        {
            var layers = LayersOf(network);
            Layers += layers.Count;
            var original = component == "unet" ? OriginalUNetNames.Of(layers) : new Dictionary<string, string>();
            foreach (var layer in layers)
                Add(component, layer, original.GetValueOrDefault(layer));
        }
    }

    public int Layers { get; }

    public (string Component, string Layer)? Find(string name) => _byName.TryGetValue(name, out var found) ? found : null;

    /// <summary>The names of all layers with a weight that a low-rank update could change.</summary>
    public static List<string> LayersOf(Module network) =>
    [
        .. network.named_parameters()
            .Where(pair => pair.name.EndsWith(".weight", StringComparison.Ordinal) && pair.parameter.dim() >= 2)
            .Select(pair => pair.name[..^".weight".Length]),
    ];

    /// <summary>kohya's name of a layer.</summary>
    /// <param name="isSdxl">Whether the model has two text encoders, which kohya numbers.</param>
    public static string Kohya(string component, string layer, bool isSdxl) =>
        (component == "text_encoder" && isSdxl ? "lora_te1_" : KohyaPrefixes.TryGetValue(component, out var prefixes) ? prefixes[0] : $"lora_{component}_") + layer.Replace('.', '_');

    private void Add(string component, string layer, string? original)
    {
        foreach (var name in Spellings(layer))
        {
            _byName.TryAdd($"{component}.{name}", (component, layer));
            _byName.TryAdd(name, (component, layer));
        }
        foreach (var prefix in KohyaPrefixes.GetValueOrDefault(component) ?? [])
            foreach (var name in original is null ? [layer] : new[] { layer, original })
                _byName.TryAdd(prefix + name.Replace('.', '_'), (component, layer));
    }

    private static IEnumerable<string> Spellings(string layer)
    {
        yield return layer;
        foreach (var (now, then) in FirstNames)
            if (layer.EndsWith(now, StringComparison.Ordinal))
                yield return layer[..^now.Length] + then;
        if (layer.StartsWith("text_model.", StringComparison.Ordinal))
            yield return layer["text_model.".Length..];
    }
}
