namespace Bruma.Transformers;

/// <summary>Learned positions end somewhere.</summary>
internal static class PositionLimit
{
    /// <exception cref="BrumaException">The text is longer.</exception>
    public static void Require(long tokens, long positions)
    {
        if (tokens > positions)
            throw new BrumaException($"The text has {tokens} tokens but the network has {positions} positions; cut it (the tokenizer does so on request).");
    }
}
