using System.Security.Cryptography;
using System.Text;
using Bruma.Text;

namespace Bruma.Recipes;

/// <summary>A text as ids: its beginning to learn from, its end held out.</summary>
internal sealed record TokenizedCorpus(Tokenizer Tokenizer, int[] Training, int[] HeldOut, long Characters, double CharactersPerToken, int EndId, string FirstWords, string Sha256)
{
    private const int PromptWords = 6;

    /// <exception cref="BrumaException">The text is too short, or the tokenizer has no token that ends a text.</exception>
    public static TokenizedCorpus Of(string text, Tokenizer tokenizer, LanguageModelOptions options)
    {
        var ids = new List<int>();
        foreach (var chunk in TextChunks.Of(new StringReader(text)))
            ids.AddRange(tokenizer.Encode(chunk, addSpecialTokens: false));
        var held = (int)(ids.Count * options.HeldOut);
        if (held < options.Context + 1 || ids.Count - held < 2 * options.Context)
            throw new BrumaException($"{options.Data}: {ids.Count} tokens are too few for a --context of {options.Context} with {held} held out; give more text or a shorter --context.");
        var end = tokenizer.Options.EosId ?? throw new BrumaException($"{options.Tokenizer}: has no token that ends a text (\"eos_token\"); choose another tokenizer or leave --tokenizer out to learn one.");
        var heldOut = ids.GetRange(ids.Count - held, held).ToArray();
        var words = tokenizer.Decode(heldOut.Take(40)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return new TokenizedCorpus(
            tokenizer, [.. ids.Take(ids.Count - held)], heldOut, text.Length, (double)text.Length / ids.Count, end, string.Join(' ', words.Skip(1).Take(PromptWords)), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }
}
