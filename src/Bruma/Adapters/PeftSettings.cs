using System.Text.Json;
using System.Text.RegularExpressions;
using Bruma.Hub;

namespace Bruma.Adapters;

/// <summary>What PEFT's config says about the strength of a layer's update: <c>adapter_config.json</c>, or the text that diffusers keeps in a file's metadata.</summary>
internal sealed class PeftSettings
{
    private const string MetadataKey = "lora_adapter_metadata";
    private static readonly TimeSpan PatternTime = TimeSpan.FromSeconds(1);

    /// <summary>Settings that change the numbers in ways that are not implemented, with their neutral value.</summary>
    private static readonly string[] MustBeOff = ["lora_bias", "use_qalora", "use_bdlora", "layer_replication", "alora_invocation_tokens", "megatron_config", "trainable_token_indices", "target_parameters"];

    private readonly string _origin;
    private readonly JsonElement _json;
    private readonly string _prefix;

    private PeftSettings(string origin, JsonElement json, string prefix)
    {
        (_origin, _json, _prefix) = (origin, json, prefix);
        if (Value("peft_type") is { ValueKind: JsonValueKind.String } type && type.GetString() != "LORA")
            throw new BrumaException($"{origin}: \"peft_type\" is \"{type.GetString()}\"; Bruma reads LORA (with DoRA).");
        foreach (var key in MustBeOff)
            if (Value(key) is { } value && !(value.ValueKind is JsonValueKind.False or JsonValueKind.Null || value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0))
                throw new BrumaException($"{origin}: \"{key}\" is {value.GetRawText()}, which Bruma does not implement; use an adapter without it.");
        IsTransposed = Value("fan_in_fan_out") is { ValueKind: JsonValueKind.True };
    }

    /// <summary>Whether the layers store [in, out], as GPT-2's do.</summary>
    public bool IsTransposed { get; }

    /// <summary>Reads <c>adapter_config.json</c>.</summary>
    public static PeftSettings FromFile(string path)
    {
        using var json = PythonJson.ParseFile(path);
        return new PeftSettings(path, json.RootElement.Clone(), "");
    }

    /// <summary>The settings of one component in a file's metadata; null when it has none.</summary>
    public static PeftSettings? FromMetadata(ITensorSource file, string component)
    {
        if (!file.Metadata.TryGetValue(MetadataKey, out var text))
            return null;
        try
        {
            using var json = JsonDocument.Parse(text);
            return new PeftSettings($"{file.Origin} ({MetadataKey})", json.RootElement.Clone(), component.Length == 0 ? "" : $"{component}.");
        }
        catch (JsonException e)
        {
            throw new BrumaException($"{file.Origin}: its metadata {MetadataKey} is no JSON ({e.Message.Split('.')[0]}); save the adapter again.", e);
        }
    }

    /// <summary>The text for a file's metadata that <see cref="FromMetadata"/> and diffusers read.</summary>
    public static KeyValuePair<string, string> ToMetadata(IEnumerable<KeyValuePair<string, object>> settings) =>
        new(MetadataKey, JsonSerializer.Serialize(new SortedDictionary<string, object>(settings.ToDictionary(), StringComparer.Ordinal)));

    /// <summary>alpha / r, or alpha / √r where the adapter is rank-stabilised (Kalajdzievski 2023, arXiv:2312.03732); null when the settings say nothing.</summary>
    /// <param name="layer">The layer's name, for which patterns may have other values.</param>
    /// <param name="rank">As stored.</param>
    public double? Scale(string layer, long rank)
    {
        var alpha = Pattern("alpha_pattern", layer) ?? Number(Value("lora_alpha"));
        return Value("use_rslora") is { ValueKind: JsonValueKind.True } ? alpha / Math.Sqrt(rank) : alpha / rank;
    }

    /// <summary>The value of the first pattern that fits the end of the layer's name.</summary>
    private double? Pattern(string key, string layer)
    {
        if (Value(key) is not { ValueKind: JsonValueKind.Object } patterns)
            return null;
        foreach (var pattern in patterns.EnumerateObject())
            try
            {
                if (Regex.IsMatch(layer, $@"^(?:(.*\.)?(?:{pattern.Name})$)", RegexOptions.CultureInvariant, PatternTime))
                    return Number(pattern.Value);
            }
            catch (Exception e) when (e is ArgumentException or RegexMatchTimeoutException)
            {
                throw new BrumaException($"{_origin}: \"{key}\" has the pattern \"{pattern.Name}\", which is no regular expression that can be used; correct it.", e);
            }
        return null;
    }

    private JsonElement? Value(string key) => _json.ValueKind == JsonValueKind.Object && _json.TryGetProperty(_prefix + key, out var value) ? value : null;

    private static double? Number(JsonElement? value) => value is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;
}
