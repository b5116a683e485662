using Bruma.Text;

namespace Bruma.Transformers.Embeddings;

/// <summary>A tokenizer that fits a network.</summary>
public static class TokenizerMatch
{
    /// <summary>Loads a folder's tokenizer and checks that the network has a row for each of its ids.</summary>
    /// <param name="rows">Of the network's embedding table.</param>
    /// <exception cref="BrumaException">The tokenizer has ids beyond the table: it belongs to another network.</exception>
    public static Tokenizer Load(string folder, int rows)
    {
        var tokenizer = Tokenizer.Load(folder);
        if (tokenizer.VocabularySize > rows)
            throw new BrumaException($"{folder}: the tokenizer has ids up to {tokenizer.VocabularySize - 1} but the network knows {rows} tokens (\"vocab_size\"); the tokenizer belongs to another model, copy that of this one.");
        return tokenizer;
    }
}
