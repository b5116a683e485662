using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Adapters;

/// <summary>Joins the tensors of a file to the updates of a model's layers.</summary>
internal sealed class LoraReading(ITensorSource source, IReadOnlyDictionary<string, Module> components, PeftSettings? settings)
{
    private const int Shown = 6;

    private readonly Dictionary<string, PeftSettings?> _settings = new(StringComparer.Ordinal);

    public List<LoraUpdate> Updates()
    {
        var names = new LoraNames(components);
        var layers = new Dictionary<(string Component, string Layer), Dictionary<LoraPart, string>>();
        var (unknown, elsewhere) = (new List<string>(), new List<string>());
        foreach (var key in source.Tensors.Keys)
            if (LoraKey.Parse(key) is not { } parsed)
                unknown.Add(key);
            else if (names.Find(parsed.Layer) is not { } found)
                elsewhere.Add(parsed.Layer);
            else if (!(layers.TryGetValue(found, out var parts) ? parts : layers[found] = []).TryAdd(parsed.Part, key))
                throw Bad($"has the layer {found.Layer} of {found.Component} twice ({key} and {layers[found][parsed.Part]})");
        Refuse(unknown, [.. elsewhere.Distinct()], layers.Count);
        return [.. layers.Select(pair => Join(pair.Key.Component, pair.Key.Layer, pair.Value))];
    }

    private void Refuse(List<string> unknown, List<string> elsewhere, int matched)
    {
        if (source.Tensors.Count == 0)
            throw Bad("holds no tensors");
        if (unknown.Count > 0)
            throw Bad(unknown.Select(LoraKey.Other).FirstOrDefault(what => what is not null) is { } what
                ? $"holds {what}, which Bruma does not read ({Some(unknown)}); take a LoRA, LoCon or DoRA"
                : $"{unknown.Count} of its {source.Tensors.Count} tensors are no part of a LoRA ({Some(unknown)}); give a LoRA file{(matched == 0 && elsewhere.Count == 0 ? ", not a model" : "")}");
        if (elsewhere.Count == 0)
            return;
        var family = LoraFamily.Guess(source);
        throw Bad($"{elsewhere.Count} of its {elsewhere.Count + matched} layers are not in this model ({Some(elsewhere)}); {(family is null ? "" : $"it seems to be a LoRA for {family}; ")}take one that was made for this model's family");
    }

    private LoraUpdate Join(string component, string layer, Dictionary<LoraPart, string> parts)
    {
        if (!parts.TryGetValue(LoraPart.Down, out var downKey) || !parts.TryGetValue(LoraPart.Up, out var upKey))
            throw Bad($"has only a part of {layer} of {component} ({string.Join(", ", parts.Values)}); it is incomplete, download it again");
        var weight = components[component].get_parameter($"{layer}.weight")!;
        var (down, up) = (source.Read(downKey, float32), source.Read(upKey, float32));
        if (parts.TryGetValue(LoraPart.Middle, out var middle))
            down = Unfold(source.Read(middle, float32), down);

        var own = settings ?? Settings(component);
        if (own?.IsTransposed == true)
            (down, up) = (up.t(), down.t()); // the weight is [in, out]
        if (down.dim() < 2 || up.dim() < 2 || down.shape[0] != up.shape[1] || down.shape[0] == 0
            || up.shape[0] != weight.shape[0] || down.numel() / down.shape[0] * up.shape[0] != weight.numel() || up.numel() != up.shape[0] * up.shape[1])
            throw Bad(Misfit(component, layer, (down, up), weight));
        double? stored = parts.TryGetValue(LoraPart.Alpha, out var alphaKey) && source.Tensors[alphaKey].Count == 1 ? source.Read(alphaKey, float32).flatten().item<float>() : null;
        var scale = stored / down.shape[0] ?? own?.Scale(layer, down.shape[0]) ?? 1;
        if (!double.IsFinite(scale))
            throw Bad($"has the alpha {scale * down.shape[0]} for {layer} of {component}; it is damaged");
        return new LoraUpdate(component, layer, down, up, scale, Magnitude(parts, weight));
    }

    private string Misfit(string component, string layer, (Tensor Down, Tensor Up) found, Tensor weight)
    {
        var family = LoraFamily.Guess(source);
        return $"its update of {layer} is [{string.Join(", ", found.Up.shape)}] times [{string.Join(", ", found.Down.shape)}] but the layer of this model's {component} is [{string.Join(", ", weight.shape)}]; "
            + $"{(family is null ? "" : $"it seems to be a LoRA for {family}; ")}take one that was made for this model's family";
    }

    private PeftSettings? Settings(string component) => _settings.TryGetValue(component, out var known) ? known : _settings[component] = PeftSettings.FromMetadata(source, component);

    /// <summary>Tucker form as an ordinary convolution: [r, r, k, k] and [r, in, 1, 1] to [r, in, k, k].</summary>
    private static Tensor Unfold(Tensor middle, Tensor down) => einsum("abkl,bi->aikl", middle, down.flatten(1));

    private Tensor? Magnitude(Dictionary<LoraPart, string> parts, Tensor weight)
    {
        var isLycoris = parts.TryGetValue(LoraPart.DoraScale, out var key);
        if (!isLycoris && !parts.TryGetValue(LoraPart.Magnitude, out key))
            return null;
        var values = source.Read(key!, float32);
        var ones = Enumerable.Repeat(1L, (int)weight.dim() - 2);
        if (isLycoris && values.dim() >= 2 && values.shape[0] == 1 && weight.shape[0] != 1 && values.numel() == weight.shape[1])
            return values.view([1, weight.shape[1], .. ones]);
        return values.numel() == weight.shape[0]
            ? values.view([weight.shape[0], 1, .. ones])
            : throw Bad($"{key} has {values.numel()} lengths where the layer has {weight.shape[0]} rows; it was made for another model");
    }

    private static string Some(List<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal).Take(Shown)) + (names.Count > Shown ? $" and {names.Count - Shown} more" : "");

    private BrumaException Bad(string found) => new($"{source.Origin}: {found}.");
}
