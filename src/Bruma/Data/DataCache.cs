namespace Bruma.Data;

/// <summary>Where data sets that were fetched or built are kept: in <c>BRUMA_DATA</c>, else in the user's cache.</summary>
internal static class DataCache
{
    public static string Folder(string name)
    {
        if (Environment.GetEnvironmentVariable("BRUMA_DATA") is { Length: > 0 } data)
            return Path.Combine(data, name);
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } home ? home : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "bruma", name);
    }
}
