using Bruma.Hub;

namespace Bruma.Data;

/// <summary>Where data sets that were fetched or built are kept: in <c>BRUMA_DATA</c>, else in the user's cache.</summary>
internal static class DataCache
{
    public static string Folder(string name) => Path.Combine(Environment.GetEnvironmentVariable("BRUMA_DATA") is { Length: > 0 } data ? data : Path.Combine(UserCache.Home, "bruma"), name);
}
