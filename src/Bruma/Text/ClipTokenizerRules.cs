namespace Bruma.Text;

/// <summary>CLIP's tokenizer as transformers' CLIPTokenizer has it, which Stable Diffusion's prompts go through.</summary>
/// <remarks>Cleaning and lower case as in BERT's basic tokenizer but with accents, then byte-level pairs whose last letter is marked with <c>&lt;/w&gt;</c>.</remarks>
internal static class ClipTokenizerRules
{
    private const string Pattern = @"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    private static readonly CodePointPattern WordPattern = new(Pattern, ignoreCase: true);

    /// <summary>What ends the last letter of a word.</summary>
    public const string WordEnd = "</w>";

    /// <summary>The words of a text as letters of bytes, cleaned and in lower case.</summary>
    public static IEnumerable<string> Split(string text) => SplitNormalized(Normalize(text));

    /// <param name="begin">Token before each text.</param>
    /// <param name="end">Token behind it.</param>
    public static TokenizerSteps Create(Dictionary<string, int> vocabulary, IEnumerable<(string Left, string Right)> merges, string begin, string end, string unknown)
    {
        var pairs = new BytePairModel(vocabulary, merges, new BytePairOptions(unknown, EndSuffix: WordEnd));
        var model = new WithSpecialWords(pairs, [begin, end]);
        return new TokenizerSteps(
            Normalize,
            SplitNormalized,
            model,
            SpecialTokenTemplate.Roberta(Id(vocabulary, begin), Id(vocabulary, end)),
            Join);
    }

    private static IEnumerable<string> SplitNormalized(string text) => WordPattern.Matches(text).Select(range => ByteAlphabet.Encode(text[range]));

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
