namespace Bruma.Text;

/// <summary>CLIP's tokenizer as transformers' CLIPTokenizer has it, which Stable Diffusion's prompts go through.</summary>
/// <remarks>Cleaning and lower case as in BERT's basic tokenizer but with accents, then byte-level pairs whose last letter is marked with <c>&lt;/w&gt;</c>.</remarks>
internal static class ClipTokenizerRules
{
    private const string Pattern = @"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    internal const string WordEnd = "</w>";

    /// <param name="begin">Token before each text.</param>
    /// <param name="end">Token behind it.</param>
    public static TokenizerSteps Create(Dictionary<string, int> vocabulary, IEnumerable<(string Left, string Right)> merges, string begin, string end, string unknown)
    {
        var pairs = new BytePairModel(vocabulary, merges, new BytePairOptions(unknown, EndSuffix: WordEnd));
        var model = new WithSpecialWords(pairs, [begin, end]);
        var pattern = new CodePointPattern(Pattern, ignoreCase: true);
        return new TokenizerSteps(
            Normalize,
            text => pattern.Matches(text).Select(range => ByteAlphabet.Encode(text[range])),
            model,
            SpecialTokenTemplate.Roberta(Id(vocabulary, begin), Id(vocabulary, end)),
            Join);
    }

    /// <summary>The pieces within which pairs are joined, in the alphabet of bytes: what a vocabulary is learned from.</summary>
    internal static Func<string, IEnumerable<string>> Splitter()
    {
        var pattern = new CodePointPattern(Pattern, ignoreCase: true);
        return text =>
        {
            var normal = Normalize(text);
            return pattern.Matches(normal).Select(range => ByteAlphabet.Encode(normal[range]));
        };
    }

    private static int Id(Dictionary<string, int> vocabulary, string token) =>
        vocabulary.TryGetValue(token, out var id) ? id : throw new BrumaException($"the vocabulary lacks the special token \"{token}\"");

    private static string Normalize(string text)
    {
        text = UnicodeForms.Nfc(UnicodeText.SpaceIdeographs(UnicodeText.Clean(text, unassigned: true)));
        return string.Join(' ', Words(text).Select(word => UnicodeText.Lower(word, finalSigma: true)));
    }

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static string Join(IReadOnlyList<string> tokens) => ByteAlphabet.Decode(string.Concat(tokens)).Replace(WordEnd, " ", StringComparison.Ordinal).Trim();

    /// <summary>Words that are a special token once lower case are that token.</summary>
    private sealed class WithSpecialWords(BytePairModel pairs, string[] special) : ITokenModel
    {
        public IReadOnlyDictionary<string, int> Vocabulary => pairs.Vocabulary;

        public void Encode(string piece, List<int> ids)
        {
            if (special.Contains(piece))
                ids.Add(pairs.Vocabulary[piece]);
            else
                pairs.Encode(piece, ids);
        }
    }
}
