namespace Bruma.Transformers;

/// <summary>How text is continued; names and meaning are those of transformers' generation config.</summary>
/// <param name="MaxNewTokens">Tokens behind the prompt at most.</param>
/// <param name="MinNewTokens">Before these, no text ends.</param>
/// <param name="DoSample">Draws tokens by their probability; otherwise the likeliest is taken.</param>
/// <param name="Temperature">Divides the scores: below 1 sharper, above 1 flatter.</param>
/// <param name="TopK">Draws among the k likeliest only; 0 for all.</param>
/// <param name="TopP">Draws among the fewest tokens that have this much probability together (arXiv:1904.09751).</param>
/// <param name="MinP">Draws among tokens at least this likely against the likeliest (arXiv:2407.01082).</param>
/// <param name="TypicalP">Draws among the most typical tokens that have this much probability together (arXiv:2202.00666).</param>
/// <param name="RepetitionPenalty">Makes tokens that are there already less likely (arXiv:1909.05858); 1 for none.</param>
/// <param name="NoRepeatNgramSize">No sequence of so many tokens comes twice; 0 for no such rule.</param>
/// <param name="BadWords">Token sequences that must not come.</param>
/// <param name="EndIds">Tokens that end a text.</param>
/// <param name="PadId">What fills the rows of a batch that have ended.</param>
/// <param name="NumBeams">How many continuations are followed at once; 1 for no beam search.</param>
/// <param name="LengthPenalty">Exponent of the length that a beam's score is divided by.</param>
/// <param name="EarlyStopping">Whether a beam search ends as soon as as many texts as beams have ended.</param>
/// <param name="NumReturnSequences">Texts for each prompt.</param>
public sealed record GenerationOptions(
    int MaxNewTokens = 20,
    int MinNewTokens = 0,
    bool DoSample = false,
    double Temperature = 1,
    int TopK = 0,
    double TopP = 1,
    double MinP = 0,
    double TypicalP = 1,
    double RepetitionPenalty = 1,
    int NoRepeatNgramSize = 0,
    IReadOnlyList<IReadOnlyList<long>>? BadWords = null,
    IReadOnlyList<long>? EndIds = null,
    long PadId = 0,
    int NumBeams = 1,
    double LengthPenalty = 1,
    bool EarlyStopping = false,
    int NumReturnSequences = 1)
{
    /// <exception cref="BrumaException">A value is out of its range, or two exclude one another.</exception>
    public void Check()
    {
        Require(MaxNewTokens > 0, "max_new_tokens", MaxNewTokens, "a number above 0");
        Require(MinNewTokens <= MaxNewTokens, "min_new_tokens", MinNewTokens, $"at most max_new_tokens, {MaxNewTokens}");
        Require(Temperature > 0, "temperature", Temperature, "a number above 0; to take the likeliest token, do not sample");
        Require(TopK >= 0, "top_k", TopK, "0 for all or a number above it");
        Require(TopP is > 0 and <= 1, "top_p", TopP, "a share above 0 and at most 1");
        Require(MinP is >= 0 and <= 1, "min_p", MinP, "a share from 0 to 1");
        Require(TypicalP is > 0 and <= 1, "typical_p", TypicalP, "a share above 0 and at most 1");
        Require(RepetitionPenalty > 0, "repetition_penalty", RepetitionPenalty, "a number above 0");
        Require(NoRepeatNgramSize >= 0, "no_repeat_ngram_size", NoRepeatNgramSize, "0 for none or a number above it");
        Require(NumBeams > 0, "num_beams", NumBeams, "a number above 0");
        Require(!DoSample || NumBeams == 1, "num_beams", NumBeams, "1 when sampling: Bruma either draws or follows beams");
        Require(NumReturnSequences > 0 && (DoSample || NumReturnSequences <= NumBeams), "num_return_sequences", NumReturnSequences, DoSample ? "a number above 0" : $"at most num_beams, {NumBeams}, unless sampling");
        Require(BadWords is null || BadWords.All(word => word.Count > 0), "bad_words_ids", "an empty sequence", "sequences of at least one token");
    }

    private static void Require(bool condition, string key, object value, string expected)
    {
        if (!condition)
            throw new BrumaException(FormattableString.Invariant($"{key} is {value}; expected {expected}."));
    }
}
