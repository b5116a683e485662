using System.Security.Cryptography;
using System.Text;
using Bruma.Data;
using Bruma.Hub;

namespace Bruma.Metrics;

/// <summary>Vectors on disk under the content of pictures and network: measuring the same set again costs nothing, and a changed picture invalidates what it must.</summary>
/// <param name="root">A folder.</param>
public sealed class FeatureCache(string root)
{
    /// <summary>Pictures of one file.</summary>
    internal const int PartSize = 1024;

    /// <summary>Counted up when preparation or networks change their numbers.</summary>
    private const int Version = 2;

    /// <summary>In the user's cache.</summary>
    public static string DefaultRoot => Path.Combine(UserCache.Root, "features");

    internal static string KeyOf(ImageSource source, FeatureNetwork network) => $"{Version} {source.Sha256()} {network.Name} {network.Hash}";

    /// <summary>The vectors of these pictures; null where they are not there, or the file is damaged.</summary>
    internal FeatureSet? Find(string key, IReadOnlyList<int> indices)
    {
        var path = PathOf(key, indices);
        if (!File.Exists(path))
            return null;
        try
        {
            return FeatureSet.Read(path);
        }
        catch (BrumaException)
        {
            File.Delete(path); // computed anew
            return null;
        }
    }

    /// <summary>Stores a part; a cache that cannot be written costs time, not the result.</summary>
    internal void Keep(string key, IReadOnlyList<int> indices, FeatureSet part)
    {
        try
        {
            if (part.Count > 0)
                part.Save(PathOf(key, indices));
        }
        catch (BrumaException)
        {
            // read-only or full
        }
    }

    private string PathOf(string key, IReadOnlyList<int> indices)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{key}\n{string.Join(' ', indices)}")));
        return Path.Combine(root, hash[..2], $"{hash}.safetensors");
    }
}
