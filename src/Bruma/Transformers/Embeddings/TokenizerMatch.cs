using Bruma.Text;

namespace Bruma.Transformers.Embeddings;

/// <summary>A tokenizer that fits a network.</summary>
public static class TokenizerMatch
{
    /// <summary>Loads a folder's tokenizer and checks that the network has a row for each of its ids, and not many more: tables are padded a little at most.</summary>
    /// <param name="rows">Of the network's embedding table.</param>
    /// <exception cref="BrumaException">The tokenizer has ids beyond the table, or less than half of it: it belongs to another network.</exception>
    public static Tokenizer Load(string folder, int rows)
    {
        var tokenizer = Tokenizer.Load(folder);
        if (tokenizer.VocabularySize > rows)
            throw new BrumaException($"{folder}: the tokenizer has ids up to {tokenizer.VocabularySize - 1} but the network knows {rows} tokens (\"vocab_size\"); the tokenizer belongs to another model, copy that of this one.");
        if (tokenizer.VocabularySize < rows / 2)
            throw new BrumaException($"{folder}: the tokenizer has {tokenizer.VocabularySize} tokens but the network knows {rows} (\"vocab_size\"); the tokenizer belongs to another model, copy that of this one.");
        return tokenizer;
    }
}
