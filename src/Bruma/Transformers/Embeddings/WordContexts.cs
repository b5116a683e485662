using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Transformers.Embeddings;

/// <summary>Where a word stands in a sentence.</summary>
/// <param name="First">Index of its first token, [CLS] being 0.</param>
/// <param name="Tokens">How many pieces it has.</param>
public readonly record struct WordPlace(int First, int Tokens);

/// <summary>Vectors of a word in its sentences, as each layer has them.</summary>
public sealed class WordContexts(SentenceEmbedder embedder)
{
    private const string Continues = "##";

    /// <summary>Finds the first place where the whole word stands.</summary>
    /// <exception cref="BrumaException">The sentence has no such word.</exception>
    public WordPlace Find(string word, string sentence)
    {
        var pieces = embedder.Tokenizer.Encode(word, addSpecialTokens: false);
        var tokens = embedder.Encode([sentence])[0].Ids;
        for (var start = 1; pieces.Count > 0 && start + pieces.Count < tokens.Count; start++)
            if (tokens.Skip(start).Take(pieces.Count).SequenceEqual(pieces) && !Token(tokens[start + pieces.Count]).StartsWith(Continues, StringComparison.Ordinal))
                return new WordPlace(start, pieces.Count);
        throw new BrumaException($"\"{sentence}\" does not hold the word \"{word}\"; give sentences that do.");
    }

    /// <summary>The mean over the word's pieces in each sentence, at the output of the embeddings and of each layer.</summary>
    /// <returns>fp32 [sentences, layers + 1, D].</returns>
    public Tensor Of(string word, IReadOnlyList<string> sentences)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var rows = new List<Tensor>();
        foreach (var sentence in sentences)
        {
            using var part = NewDisposeScope();
            var place = Find(word, sentence);
            var tokens = TokenBatch.Of(embedder.Encode([sentence]));
            var states = embedder.Network.call(tokens.InputIds, new TextPass(tokens.AttentionMask, tokens.TypeIds)).HiddenStates;
            rows.Add(stack([.. states.Select(state => state[0].narrow(0, place.First, place.Tokens).to(float32).mean([0]))]).MoveToOuterDisposeScope());
        }
        return stack(rows).MoveToOuterDisposeScope();
    }

    /// <summary>Cosines between the sentences at each level.</summary>
    /// <param name="states">[sentences, levels, D], from <see cref="Of"/>.</param>
    /// <returns>[levels, sentences, sentences].</returns>
    public static Tensor Cosines(Tensor states)
    {
        using var scope = NewDisposeScope();
        var units = nn.functional.normalize(states, p: 2, dim: 2).transpose(0, 1);
        return matmul(units, units.transpose(1, 2)).MoveToOuterDisposeScope();
    }

    private string Token(int id) => embedder.Tokenizer.TokenOf(id);
}
