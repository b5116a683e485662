using System.Text.Json;

namespace Bruma.Text;

/// <summary>Reads <c>tokenizer.json</c>. Its sections about truncation and padding are left to the caller of the tokenizer.</summary>
internal static class TokenizerJson
{
    private static readonly JsonElement Null = JsonDocument.Parse("null").RootElement;

    /// <returns>The steps and the added tokens.</returns>
    public static (TokenizerSteps Steps, List<AddedToken> Added) Read(JsonElement json)
    {
        var split = PreTokenizers.Create(Section(json, "pre_tokenizer"));
        var steps = new TokenizerSteps(
            TextNormalizers.Create(Section(json, "normalizer")),
            text => split(text, true),
            Model(json.GetProperty("model")),
            Template(Section(json, "post_processor")),
            TokenDecoders.Create(Section(json, "decoder")))
        { SplitAt = split };
        return (steps, Section(json, "added_tokens") is { ValueKind: JsonValueKind.Array } added ? [.. added.EnumerateArray().Select(token => Added(token, token.GetProperty("id").GetInt32()))] : []);
    }

    public static AddedToken Added(JsonElement json, int id) => new(
        json.Text("content"), id, json.Flag("special", false), json.Flag("normalized", false), json.Flag("lstrip", false), json.Flag("rstrip", false), json.Flag("single_word", false));

    private static JsonElement Section(JsonElement json, string key) => json.TryGetProperty(key, out var value) ? value : Null;

    private static ITokenModel Model(JsonElement json)
    {
        var type = json.OptionalText("type") ?? (json.TryGetProperty("merges", out _) ? "BPE" : "WordPiece");
        switch (type)
        {
            case "BPE":
                var options = new BytePairOptions(
                    json.OptionalText("unk_token"), json.Flag("fuse_unk", false), json.Flag("byte_fallback", false), json.Flag("ignore_merges", false),
                    json.OptionalText("continuing_subword_prefix") ?? "", json.OptionalText("end_of_word_suffix") ?? "");
                return new BytePairModel(Vocabulary(json.GetProperty("vocab")), json.GetProperty("merges").EnumerateArray().Select(Merge), options);
            case "WordPiece":
                var longest = json.TryGetProperty("max_input_chars_per_word", out var characters) ? characters.GetInt32() : 100;
                return new WordPieceModel(Vocabulary(json.GetProperty("vocab")), json.OptionalText("unk_token") ?? "[UNK]", json.OptionalText("continuing_subword_prefix") ?? "##", longest);
            case "WordLevel":
                return new WordLevelModel(Vocabulary(json.GetProperty("vocab")), json.OptionalText("unk_token") ?? "<unk>");
            case "Unigram":
                int? unknown = json.TryGetProperty("unk_id", out var id) && id.ValueKind == JsonValueKind.Number ? id.GetInt32() : null;
                return new UnigramModel([.. json.GetProperty("vocab").EnumerateArray().Select(piece => (piece[0].GetString()!, piece[1].GetDouble()))], unknown, json.Flag("byte_fallback", false));
            default:
                throw new BrumaException($"the model \"{type}\" is not implemented");
        }
    }

    public static Dictionary<string, int> Vocabulary(JsonElement json)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var token in json.EnumerateObject())
            vocabulary[token.Name] = token.Value.GetInt32();
        return vocabulary;
    }

    private static (string Left, string Right) Merge(JsonElement json) => json.ValueKind == JsonValueKind.Array ? (json[0].GetString()!, json[1].GetString()!) : Merge(json.GetString()!);

    /// <summary>Two tokens with a blank between.</summary>
    public static (string Left, string Right) Merge(string line)
    {
        var blank = line.IndexOf(' ', StringComparison.Ordinal);
        return blank > 0 && blank < line.Length - 1 ? (line[..blank], line[(blank + 1)..]) : throw new BrumaException($"the merge \"{line}\" does not consist of two tokens");
    }

    private static SpecialTokenTemplate Template(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
            return SpecialTokenTemplate.None;
        var type = json.Text("type");
        return type switch
        {
            "ByteLevel" => SpecialTokenTemplate.None,
            "BertProcessing" => SpecialTokenTemplate.Bert(json.GetProperty("cls")[1].GetInt32(), json.GetProperty("sep")[1].GetInt32()),
            "RobertaProcessing" => SpecialTokenTemplate.Roberta(json.GetProperty("cls")[1].GetInt32(), json.GetProperty("sep")[1].GetInt32()),
            "TemplateProcessing" => new SpecialTokenTemplate(Parts(json, "single"), Parts(json, "pair")),
            "Sequence" => json.GetProperty("processors").EnumerateArray().Select(Template).LastOrDefault(template => template != SpecialTokenTemplate.None) ?? SpecialTokenTemplate.None,
            _ => throw new BrumaException($"the post-processor \"{type}\" is not implemented"),
        };
    }

    private static TemplatePart[] Parts(JsonElement json, string key)
    {
        var special = json.GetProperty("special_tokens");
        return [.. json.GetProperty(key).EnumerateArray().Select(part => part.TryGetProperty("Sequence", out var text)
            ? new TemplatePart(text.Text("id") == "A" ? 0 : 1, [], text.GetProperty("type_id").GetInt32())
            : new TemplatePart(null, [.. special.GetProperty(part.GetProperty("SpecialToken").Text("id")).GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())], part.GetProperty("SpecialToken").GetProperty("type_id").GetInt32()))];
    }
}
