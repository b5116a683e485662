using System.IO.Compression;

namespace Bruma.Text;

/// <summary>CLIP's vocabulary, which all Stable Diffusion models share and single-file checkpoints leave out.</summary>
/// <remarks>Radford et al. 2021, https://github.com/openai/CLIP (MIT License). The tokens follow from the merges: 256 bytes, the same at the end of a word, each merge's result, two special tokens.</remarks>
public static class ClipVocabulary
{
    public const int MaxLength = 77;
    private const string Begin = "<|startoftext|>";
    private const string End = "<|endoftext|>";
    private const string WordEnd = "</w>";
    private const string Version = "#version: 0.2";

    private static readonly Lazy<string[]> Lines = new(ReadLines);
    private static readonly Lazy<TokenizerSteps> Steps = new(() => ClipTokenizerRules.Create(Tokens(), Lines.Value.Select(TokenizerJson.Merge), Begin, End, End));

    /// <summary>A tokenizer that fills prompts with the given token.</summary>
    /// <param name="padToken"><c>&lt;|endoftext|&gt;</c>; <c>!</c> for OpenCLIP's encoders.</param>
    public static Tokenizer Tokenizer(string padToken = End)
    {
        var vocabulary = Steps.Value.Model.Vocabulary;
        var special = new[] { padToken, Begin, End }.Distinct().Select(token => new AddedToken(token, vocabulary[token], Special: true)).ToList();
        return new Tokenizer(Steps.Value, special, new TokenizerOptions(MaxLength, vocabulary[padToken], vocabulary[Begin], vocabulary[End], vocabulary[End]));
    }

    /// <summary>The ids of all tokens, as <c>vocab.json</c> has them.</summary>
    public static Dictionary<string, int> Tokens()
    {
        var bytes = ByteAlphabet.Sorted().ToList();
        var tokens = bytes.Concat(bytes.Select(letter => letter + WordEnd)).Concat(Lines.Value.Select(line => line.Replace(" ", "", StringComparison.Ordinal))).Concat([Begin, End]);
        return tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id, StringComparer.Ordinal);
    }

    /// <summary>The text of <c>merges.txt</c>.</summary>
    public static string Merges() => $"{Version}\n{string.Join('\n', Lines.Value)}\n";

    private static string[] ReadLines()
    {
        using var packed = typeof(ClipVocabulary).Assembly.GetManifestResourceStream("Bruma.Text.Data.clip-merges.txt.gz")!;
        using var reader = new StreamReader(new GZipStream(packed, CompressionMode.Decompress));
        return [.. reader.ReadToEnd().Split('\n').Skip(1).Where(line => line.Length > 0)];
    }
}
