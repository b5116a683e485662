using System.Text.RegularExpressions;

namespace Bruma.Hub;

/// <summary>A model on the Hugging Face hub, typed as <c>hf:org/name[@revision]</c>.</summary>
/// <param name="Repository"><c>org/name</c>.</param>
/// <param name="Revision">A branch, a tag or a commit.</param>
public sealed partial record HubReference(string Repository, string Revision = HubReference.Main)
{
    public const string Prefix = "hf:";
    private const string Main = "main";
    private const int CommitDigits = 40;

    /// <summary>Whether the revision is a commit, which never changes.</summary>
    public bool IsCommit => IsCommitSum(Revision);

    public static bool IsHub(string text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <exception cref="BrumaException">The text is not of that form.</exception>
    public static HubReference Parse(string text) => Find(text) ?? throw new BrumaException($"{text}: names no model of the hub; write it as hf:ORG/NAME or hf:ORG/NAME@REVISION.");

    /// <summary>The same; null for a text of another form.</summary>
    public static HubReference? Find(string text)
    {
        var match = Form().Match(text);
        return !match.Success || text.Contains("..", StringComparison.Ordinal) || match.Groups["name"].Value.Contains("--", StringComparison.Ordinal)
            ? null
            : new HubReference(match.Groups["name"].Value, match.Groups["revision"] is { Success: true } revision ? revision.Value : Main);
    }

    public override string ToString() => Revision == Main ? $"{Prefix}{Repository}" : $"{Prefix}{Repository}@{Revision}";

    internal static bool IsCommitSum(string text) => text.Length == CommitDigits && text.All(char.IsAsciiHexDigitLower);

    [GeneratedRegex(@"^hf:(?<name>[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?)(@(?<revision>[A-Za-z0-9][\w./-]*))?\z")]
    private static partial Regex Form();
}
