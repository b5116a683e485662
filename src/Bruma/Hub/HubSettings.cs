using System.Globalization;
using System.Text.RegularExpressions;

namespace Bruma.Hub;

/// <summary>Where the hub and its cache are, as the environment variables of huggingface_hub say.</summary>
public sealed partial class HubSettings
{
    private const double DefaultSeconds = 10;

    private readonly Func<string, string?> _variable;

    /// <param name="variable">Looks up an environment variable; null for the process's own.</param>
    public HubSettings(Func<string, string?>? variable = null)
    {
        _variable = variable ?? Environment.GetEnvironmentVariable;
        var home = Folder("HF_HOME") ?? Path.Combine(Folder("XDG_CACHE_HOME") ?? Path.Combine(Home, ".cache"), "huggingface");
        Cache = Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub");
        Endpoint = (Text("HF_ENDPOINT") ?? "https://huggingface.co").TrimEnd('/');
        IsOffline = IsTrue("HF_HUB_OFFLINE") || IsTrue("TRANSFORMERS_OFFLINE");
        UsesLinks = !IsTrue("HF_HUB_DISABLE_SYMLINKS");
        Token = IsTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") ? null : Text("HF_TOKEN") ?? Text("HUGGING_FACE_HUB_TOKEN") ?? FromFile(Folder("HF_TOKEN_PATH") ?? Path.Combine(home, "token"));
        AnswerTimeout = Seconds("HF_HUB_ETAG_TIMEOUT");
        StallTimeout = Seconds("HF_HUB_DOWNLOAD_TIMEOUT");
    }

    /// <summary>The folder that holds <c>models--org--name</c>.</summary>
    public string Cache { get; }

    /// <summary>Address of the hub, without a slash at the end.</summary>
    public string Endpoint { get; }

    /// <summary>Nothing goes over the network.</summary>
    public bool IsOffline { get; }

    /// <summary>Whether snapshots are links to blobs, as far as the file system has links.</summary>
    public bool UsesLinks { get; }

    /// <summary>How long an answer may take.</summary>
    public TimeSpan AnswerTimeout { get; }

    /// <summary>How long a download may stand still.</summary>
    public TimeSpan StallTimeout { get; }

    /// <summary>Proves who asks; never shown.</summary>
    internal string? Token { get; }

    private string Home => _variable("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private static string? FromFile(string path)
    {
        try
        {
            return File.Exists(path) && File.ReadAllText(path).ReplaceLineEndings("").Trim() is { Length: > 0 } token ? token : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BrumaException($"{path}: the hub's token cannot be read ({e.Message.TrimEnd('.')}); correct its rights or set HF_TOKEN.", e);
        }
    }

    private string? Text(string name) => _variable(name)?.ReplaceLineEndings("").Trim() is { Length: > 0 } text ? text : null;

    private bool IsTrue(string name) => Text(name)?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    private TimeSpan Seconds(string name) =>
        TimeSpan.FromSeconds(double.TryParse(Text(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1e6 ? seconds : DefaultSeconds);

    /// <summary>A path with <c>~</c> and variables replaced.</summary>
    private string? Folder(string name)
    {
        if (Text(name) is not { } path)
            return null;
        path = Variable().Replace(path, match => _variable(match.Groups["name"].Value) ?? match.Value);
        return path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Home, path[1..].TrimStart('/')) : path;
    }

    [GeneratedRegex(@"\$\{?(?<name>[A-Za-z_]\w*)\}?")]
    private static partial Regex Variable();
}
