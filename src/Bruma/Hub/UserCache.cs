namespace Bruma.Hub;

/// <summary>Where Bruma keeps on disk what it can make again.</summary>
public static class UserCache
{
    /// <summary><c>BRUMA_CACHE</c>, else <c>bruma</c> in the user's cache.</summary>
    public static string Root => Environment.GetEnvironmentVariable("BRUMA_CACHE") is { Length: > 0 } folder ? folder : Path.Combine(Home, "bruma");

    /// <summary>The user's cache of all programs: <c>XDG_CACHE_HOME</c>, else <c>~/.cache</c>.</summary>
    public static string Home => Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } folder ? folder : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
}
