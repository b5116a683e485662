using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Text;

/// <summary>What <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c> say; all may be missing.</summary>
internal sealed class TokenizerConfig
{
    private static readonly string[] SpecialKeys = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly JsonElement _config;
    private readonly JsonElement _special;
    private readonly JsonElement _added;

    private TokenizerConfig(string folder)
    {
        _config = Parse(Path.Combine(folder, "tokenizer_config.json"));
        _special = Parse(Path.Combine(folder, "special_tokens_map.json"));
        _added = Parse(Path.Combine(folder, "added_tokens.json"));
    }

    /// <summary>Whether the texts follow CLIP's rules.</summary>
    public bool IsClip => Text("tokenizer_class") is "CLIPTokenizer" or "CLIPTokenizerFast" || Text("tokenizer_class") is null && Special("bos_token") == "<|startoftext|>";

    public bool HasAddedTokens => _config.TryGetProperty("added_tokens_decoder", out _);

    public static TokenizerConfig Read(string folder) => new(folder);

    public string? Text(string key) => _config.OptionalText(key);

    public bool? OptionalFlag(string key) => _config.OptionalFlag(key);

    public bool Flag(string key, bool missing) => _config.Flag(key, missing);

    public double? Number(string key) => _config.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    /// <summary>The special token of a role; null when neither file names one. The map counts less.</summary>
    public string? Special(string key) => Content(_config, key) ?? Content(_special, key);

    public HashSet<string> SpecialTokens()
    {
        var tokens = SpecialKeys.Select(Special).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var source in new[] { _config, _special })
            if (source.TryGetProperty("additional_special_tokens", out var more) && more.ValueKind == JsonValueKind.Array)
                tokens.UnionWith(more.EnumerateArray().Select(Content).OfType<string>());
        return tokens;
    }

    /// <summary>Tokens beyond the vocabulary's own rules, by id.</summary>
    public List<AddedToken> AddedTokens()
    {
        var tokens = new List<AddedToken>();
        if (_config.TryGetProperty("added_tokens_decoder", out var decoder) && decoder.ValueKind == JsonValueKind.Object)
            foreach (var token in decoder.EnumerateObject())
                if (int.TryParse(token.Name, out var id))
                    tokens.Add(TokenizerJson.Added(token.Value, id) with { Normalized = !IsClip && token.Value.Flag("normalized", false) });
        foreach (var token in _added.EnumerateObject())
            if (!tokens.Exists(known => known.Content == token.Name))
                tokens.Add(new AddedToken(token.Name, token.Value.GetInt32()));
        return tokens;
    }

    private static string? Content(JsonElement json, string key) => json.TryGetProperty(key, out var value) ? Content(value) : null;

    private static string? Content(JsonElement token) => token.ValueKind switch
    {
        JsonValueKind.String => token.GetString(),
        JsonValueKind.Object => token.OptionalText("content"),
        _ => null,
    };

    private static JsonElement Parse(string file)
    {
        if (!File.Exists(file))
            return JsonDocument.Parse("{}").RootElement;
        using var json = PythonJson.ParseFile(file);
        return json.RootElement.Clone();
    }
}
