using System.Text;

namespace Bruma.Text;

/// <summary>A token that is found in the text before it is split.</summary>
/// <param name="Special">Whether decoding may skip it.</param>
/// <param name="Normalized">Whether it is sought in the normalised text instead of the raw one.</param>
/// <param name="LeftStrip">Whether it takes the white space before it.</param>
/// <param name="RightStrip">Whether it takes the white space behind it.</param>
/// <param name="SingleWord">Whether it must not touch letters or digits.</param>
public sealed record AddedToken(string Content, int Id, bool Special = false, bool Normalized = false, bool LeftStrip = false, bool RightStrip = false, bool SingleWord = false);

/// <summary>Finds added tokens, the leftmost first and of those the longest.</summary>
internal sealed class AddedTokens
{
    private readonly ILookup<char, AddedToken> _byFirst;

    public AddedTokens(IEnumerable<AddedToken> tokens) =>
        _byFirst = tokens.Where(token => token.Content.Length > 0).OrderByDescending(token => token.Content.Length).ToLookup(token => token.Content[0]);

    /// <summary>The text in parts: either a token, or a stretch between tokens, never empty.</summary>
    public IEnumerable<(AddedToken? Token, string Part)> Split(string text)
    {
        var start = 0;
        for (var at = 0; at < text.Length;)
        {
            if (Match(text, at) is not { } token)
            {
                at++;
                continue;
            }
            var (from, to) = (at, at + token.Content.Length);
            while (token.LeftStrip && from > start && char.IsWhiteSpace(text[from - 1]))
                from--;
            while (token.RightStrip && to < text.Length && char.IsWhiteSpace(text[to]))
                to++;
            if (from > start)
                yield return (null, text[start..from]);
            yield return (token, token.Content);
            start = at = to;
        }
        if (start < text.Length)
            yield return (null, text[start..]);
    }

    private AddedToken? Match(string text, int at)
    {
        foreach (var token in _byFirst[text[at]])
            if (string.CompareOrdinal(text, at, token.Content, 0, token.Content.Length) == 0 && (!token.SingleWord || StandsAlone(text, at, at + token.Content.Length)))
                return token;
        return null;
    }

    private static bool StandsAlone(string text, int from, int to) =>
        (from == 0 || !IsWord(text, from - 1)) && (to == text.Length || !IsWord(text, to));

    private static bool IsWord(string text, int at) => char.IsLetterOrDigit(text[at]) || text[at] == '_' || char.IsSurrogate(text[at]) && Rune.TryGetRuneAt(text, char.IsLowSurrogate(text[at]) ? at - 1 : at, out var rune) && Rune.IsLetterOrDigit(rune);
}
