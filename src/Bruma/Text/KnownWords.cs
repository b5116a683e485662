using System.Text.RegularExpressions;

namespace Bruma.Text;

/// <summary>The words that a model was trained with: <c>words.txt</c> of its folder, one a line. Of prompts without any of them, only chance makes a picture.</summary>
public sealed partial class KnownWords
{
    public const string FileName = "words.txt";

    private readonly HashSet<string> _words;

    /// <param name="words">In lower case.</param>
    public KnownWords(IEnumerable<string> words) => _words = [.. words.Where(word => word.Length > 0)];

    /// <summary>The list of a model folder; null where it has none.</summary>
    public static KnownWords? Of(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? new KnownWords(File.ReadLines(path)) : null;
    }

    /// <summary>The words of a prompt that the model does not know, in their order, each once.</summary>
    public IReadOnlyList<string> UnknownIn(string prompt) => [.. Words(prompt).Where(word => !_words.Contains(word)).Distinct()];

    /// <summary>One sentence for a prompt in which the model knows no word; null where it knows one.</summary>
    public string? Notice(string prompt)
    {
        var words = Words(prompt).ToList();
        return words.Count == 0 || words.Exists(_words.Contains)
            ? null
            : $"the model knows none of the words {string.Join(", ", words.Distinct())}; its picture has nothing to do with them.";
    }

    private static IEnumerable<string> Words(string prompt) => WordPattern().Matches(prompt.ToLowerInvariant()).Select(match => match.Value);

    [GeneratedRegex(@"[\p{L}\p{M}\p{Nd}]+")]
    private static partial Regex WordPattern();
}
