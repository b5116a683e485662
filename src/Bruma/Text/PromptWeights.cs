using System.Globalization;
using System.Text.RegularExpressions;

namespace Bruma.Text;

/// <summary>A stretch of a prompt with the weight that its brackets give it; 1 is neutral.</summary>
public readonly record struct PromptPart(string Text, double Weight)
{
    /// <summary>Between two parts: the prompt goes on in the encoder's next window.</summary>
    public static PromptPart Break { get; } = new("BREAK", -1);

    public bool IsBreak => this == Break;
}

/// <summary>Attention weights in a prompt, as A1111 reads them: <c>(a)</c> times 1.1, <c>(a:1.3)</c> times 1.3, <c>[a]</c> divided by 1.1, <c>\(</c> literal, BREAK.</summary>
public static partial class PromptWeights
{
    private const double Round = 1.1;
    private const double Square = 1 / 1.1;

    /// <summary>The parts in order; neighbours of one weight are joined. Brackets without partner: an opening one closes at the end, a closing one is text.</summary>
    public static IReadOnlyList<PromptPart> Parse(string prompt)
    {
        var parts = new List<PromptPart>();
        var (round, square) = (new Stack<int>(), new Stack<int>());
        foreach (Match token in Token().Matches(prompt))
            if (token.Value is "(" or "[")
                (token.Value == "(" ? round : square).Push(parts.Count);
            else if (round.Count > 0 && Number(token) is { } weight)
                Multiply(parts, round.Pop(), weight);
            else if (token.Value == ")" && round.Count > 0)
                Multiply(parts, round.Pop(), Round);
            else if (token.Value == "]" && square.Count > 0)
                Multiply(parts, square.Pop(), Square);
            else if (token.Value[0] == '\\')
                parts.Add(new PromptPart(token.Value[1..], 1));
            else
                AddText(parts, token.Value);
        foreach (var start in round)
            Multiply(parts, start, Round);
        foreach (var start in square)
            Multiply(parts, start, Square);
        return parts.Count == 0 ? [new PromptPart("", 1)] : Joined(parts);
    }

    private static void AddText(List<PromptPart> parts, string text)
    {
        var pieces = BreakWord().Split(text);
        for (var i = 0; i < pieces.Length; i++)
        {
            if (i > 0)
                parts.Add(PromptPart.Break);
            parts.Add(new PromptPart(pieces[i], 1));
        }
    }

    private static double? Number(Match token) =>
        token.Groups[1].Success && double.TryParse(token.Groups[1].ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static void Multiply(List<PromptPart> parts, int from, double factor)
    {
        for (var i = from; i < parts.Count; i++)
            if (!parts[i].IsBreak)
                parts[i] = parts[i] with { Weight = parts[i].Weight * factor };
    }

    private static List<PromptPart> Joined(List<PromptPart> parts)
    {
        var joined = new List<PromptPart>();
        foreach (var part in parts)
            if (joined.Count > 0 && joined[^1].Weight == part.Weight && !part.IsBreak && !joined[^1].IsBreak)
                joined[^1] = joined[^1] with { Text = joined[^1].Text + part.Text };
            else
                joined.Add(part);
        return joined;
    }

    [GeneratedRegex(@"\\\(|\\\)|\\\[|\\\]|\\\\|\\|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|[^\\()\[\]:]+|:")]
    private static partial Regex Token();

    [GeneratedRegex(@"\s*\bBREAK\b\s*", RegexOptions.Singleline)]
    private static partial Regex BreakWord();
}
