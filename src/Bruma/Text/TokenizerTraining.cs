namespace Bruma.Text;

/// <summary>Which tokenizer is trained.</summary>
/// <param name="VocabularySize">Tokens in all, special ones included; fewer where the text has no more pairs.</param>
/// <param name="Style"><c>gpt2</c>: text as it is, to the byte; <c>clip</c>: cleaned words in lower case, the last letter marked.</param>
/// <param name="MinFrequency">Pairs that are rarer are not joined.</param>
/// <param name="MaxLength">Tokens that the network will take; null to leave it open.</param>
public sealed record TokenizerTrainingOptions(int VocabularySize = 4096, string Style = "gpt2", int MinFrequency = 2, int? MaxLength = null)
{
    public static IReadOnlyList<string> Styles { get; } = ["gpt2", "clip"];

    /// <summary>Tokens beside letters and pairs, the last the one that ends a text.</summary>
    internal string[] SpecialTokens => Style == "clip" ? ["<|startoftext|>", "<|endoftext|>"] : ["<|endoftext|>"];

    /// <summary>What is there before the first merge.</summary>
    internal List<string> Alphabet()
    {
        var letters = ByteAlphabet.Ordered.Select(letter => letter.ToString()).ToList();
        return Style == "clip" ? [.. letters, .. letters.Select(letter => letter + ClipTokenizerRules.WordEnd)] : letters;
    }

    /// <exception cref="BrumaException">The style is unknown or the vocabulary too small for its letters.</exception>
    public void Check()
    {
        if (!Styles.Contains(Style))
            throw new BrumaException($"style is \"{Style}\"; expected one of {string.Join(", ", Styles)}.");
        var least = Alphabet().Count + SpecialTokens.Length;
        if (VocabularySize < least)
            throw new BrumaException($"vocab_size is {VocabularySize}; the {Style} style needs at least {least}, for the letters of all bytes and the special tokens.");
        if (MinFrequency < 1)
            throw new BrumaException($"min_frequency is {MinFrequency}; expected a number above 0.");
    }
}

/// <summary>Learns a byte-level byte-pair vocabulary from texts.</summary>
public static class TokenizerTraining
{
    /// <param name="texts">Each with its weight: how often it counts.</param>
    /// <exception cref="BrumaException">The options are out of range, or the texts are empty.</exception>
    public static TrainedTokenizer Train(IEnumerable<(string Text, int Weight)> texts, TokenizerTrainingOptions options)
    {
        options.Check();
        var counts = Words(texts, options.Style == "clip" ? ClipTokenizerRules.Split : Gpt2Words());
        if (counts.Count == 0)
            throw new BrumaException("The text to train a tokenizer on is empty; give a file with text in it.");
        var tokens = options.Alphabet();
        var ids = tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id, StringComparer.Ordinal);
        var learner = new BytePairLearner(counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (Symbols(pair.Key, options.Style).Select(letter => ids[letter]), pair.Value)));
        var merges = new List<(string Left, string Right)>();
        foreach (var (left, right) in learner.Learn(tokens.Count, options.VocabularySize - tokens.Count - options.SpecialTokens.Length, options.MinFrequency))
        {
            merges.Add((tokens[left], tokens[right]));
            tokens.Add(tokens[left] + tokens[right]);
        }
        return new TrainedTokenizer([.. tokens, .. options.SpecialTokens], merges, options);
    }

    /// <summary>The same on a file of text, in pieces of whole lines.</summary>
    /// <exception cref="BrumaException">The file is missing.</exception>
    public static TrainedTokenizer TrainOnFile(string path, TokenizerTrainingOptions options)
    {
        if (!File.Exists(path))
            throw new BrumaException($"{path}: no such file; give a file of text.");
        return Train(TextChunks.OfFile(path).Select(chunk => (chunk, 1)), options);
    }

    private static Dictionary<string, long> Words(IEnumerable<(string Text, int Weight)> texts, Func<string, IEnumerable<string>> split)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (text, weight) in texts)
            foreach (var word in split(UnicodeText.Valid(text)))
                counts[word] = counts.GetValueOrDefault(word) + weight;
        return counts;
    }

    private static Func<string, IEnumerable<string>> Gpt2Words()
    {
        var split = PreTokenizers.ByteLevel(prefixSpace: false, useRegex: true);
        return text => split(text, true);
    }

    /// <summary>Letters of a word; all letters of bytes are single UTF-16 units.</summary>
    private static IEnumerable<string> Symbols(string word, string style) =>
        word.Select((letter, i) => style == "clip" && i == word.Length - 1 ? letter + ClipTokenizerRules.WordEnd : letter.ToString());
}
