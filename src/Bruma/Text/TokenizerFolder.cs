using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Text;

/// <summary>Which files of a folder make the tokenizer.</summary>
internal static class TokenizerFolder
{
    /// <summary>Lengths above this are transformers' way to say that there is no limit.</summary>
    private const double Unlimited = 1e9;

    public static Tokenizer Load(string folder, string vocabulary)
    {
        if (!Directory.Exists(folder))
            throw new BrumaException($"{folder}: no such folder.");
        var config = TokenizerConfig.Read(folder);
        var fast = Path.Combine(vocabulary, "tokenizer.json");
        var pairs = (Vocabulary: Path.Combine(vocabulary, "vocab.json"), Merges: Path.Combine(vocabulary, "merges.txt"));
        var words = Path.Combine(vocabulary, "vocab.txt");

        if (File.Exists(pairs.Vocabulary) && File.Exists(pairs.Merges) && (config.IsClip || !File.Exists(fast)))
            return Build(pairs.Vocabulary, config, () => (config.IsClip ? Clip(pairs, config) : Gpt2(pairs, config), config.AddedTokens()));
        if (File.Exists(fast))
            return Build(fast, config, () => FromJson(fast, config));
        if (File.Exists(words))
            return Build(words, config, () => (Bert(words, config), config.AddedTokens()));
        throw new BrumaException($"{vocabulary}: holds no tokenizer (tokenizer.json, or vocab.json with merges.txt, or vocab.txt); download it too{(File.Exists(Path.Combine(vocabulary, "spiece.model")) ? ", as spiece.model is not read" : "")}.");
    }

    private static Tokenizer Build(string origin, TokenizerConfig config, Func<(TokenizerSteps Steps, List<AddedToken> Added)> read)
    {
        try
        {
            var (steps, added) = read();
            var ids = new Dictionary<string, int>(steps.Model.Vocabulary, StringComparer.Ordinal);
            foreach (var token in added)
                ids[token.Content] = token.Id;
            if (config.IsClip && !config.HasAddedTokens)
                added.AddRange(config.SpecialTokens().Where(ids.ContainsKey).Select(token => new AddedToken(token, ids[token], Special: true)));
            return new Tokenizer(steps, [.. added.Select(token => token with { Special = token.Special || config.SpecialTokens().Contains(token.Content) })], Options(config, ids));
        }
        catch (Exception e) when (e is BrumaException or KeyNotFoundException or InvalidOperationException or FormatException or JsonException)
        {
            throw new BrumaException(e.Message.StartsWith(origin, StringComparison.Ordinal) ? e.Message : $"{origin}: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static TokenizerOptions Options(TokenizerConfig config, Dictionary<string, int> ids)
    {
        int? Id(string key) => config.Special(key) is { } token && ids.TryGetValue(token, out var id) ? id : null;
        return new TokenizerOptions(
            config.Number("model_max_length") is { } length and > 0 and < Unlimited ? (int)length : null,
            Id("pad_token"), Id("bos_token"), Id("eos_token"), Id("unk_token"),
            config.Flag("clean_up_tokenization_spaces", false), config.Text("padding_side") == "left", config.Text("truncation_side") == "left");
    }

    private static (TokenizerSteps Steps, List<AddedToken> Added) FromJson(string file, TokenizerConfig config)
    {
        using var json = PythonJson.ParseFile(file);
        var (steps, added) = TokenizerJson.Read(json.RootElement);
        added.AddRange(config.AddedTokens().Where(token => !added.Exists(known => known.Id == token.Id)));
        return (steps, added);
    }

    private static TokenizerSteps Clip((string Vocabulary, string Merges) files, TokenizerConfig config)
    {
        var vocabulary = ReadVocabulary(files.Vocabulary);
        return ClipTokenizerRules.Create(
            vocabulary,
            ReadMerges(files.Merges),
            config.Special("bos_token") ?? "<|startoftext|>",
            config.Special("eos_token") ?? "<|endoftext|>",
            config.Special("unk_token") ?? "<|endoftext|>");
    }

    private static TokenizerSteps Gpt2((string Vocabulary, string Merges) files, TokenizerConfig config) =>
        Gpt2(ReadVocabulary(files.Vocabulary), ReadMerges(files.Merges), config.Flag("add_prefix_space", false));

    /// <summary>GPT-2's rules with a vocabulary in memory.</summary>
    internal static TokenizerSteps Gpt2(Dictionary<string, int> vocabulary, IEnumerable<(string Left, string Right)> merges, bool prefixSpace)
    {
        var split = PreTokenizers.ByteLevel(prefixSpace, useRegex: true);
        var model = new BytePairModel(vocabulary, merges, new BytePairOptions());
        return new TokenizerSteps(text => text, text => split(text, true), model, SpecialTokenTemplate.None, tokens => ByteAlphabet.Decode(string.Concat(tokens)));
    }

    private static TokenizerSteps Bert(string file, TokenizerConfig config)
    {
        var vocabulary = File.ReadAllLines(file).Select((token, id) => (token, id)).DistinctBy(pair => pair.token).ToDictionary(pair => pair.token, pair => pair.id, StringComparer.Ordinal);
        var model = new WordPieceModel(vocabulary, config.Special("unk_token") ?? "[UNK]", "##", 100);
        int Id(string key, string token) => vocabulary.TryGetValue(config.Special(key) ?? token, out var id) ? id : throw new BrumaException($"the vocabulary lacks the special token \"{config.Special(key) ?? token}\"");
        return new TokenizerSteps(
            TextNormalizers.Bert(true, config.Flag("tokenize_chinese_chars", true), config.Flag("do_lower_case", true), config.OptionalFlag("strip_accents")),
            PreTokenizers.Bert,
            model,
            SpecialTokenTemplate.Bert(Id("cls_token", "[CLS]"), Id("sep_token", "[SEP]")),
            tokens => string.Concat(TokenDecoders.WordPiece(tokens, "##", cleanUp: true)));
    }

    private static Dictionary<string, int> ReadVocabulary(string file)
    {
        using var json = PythonJson.ParseFile(file);
        return TokenizerJson.Vocabulary(json.RootElement);
    }

    private static IEnumerable<(string Left, string Right)> ReadMerges(string file) =>
        File.ReadLines(file).Where((line, i) => line.Length > 0 && !(i == 0 && line.Contains("#version", StringComparison.Ordinal))).Select(TokenizerJson.Merge);
}
