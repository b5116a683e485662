using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bruma.Hub;

namespace Bruma.StableDiffusion;

/// <summary>SHA-256 of weights. Gigabytes take seconds, so sums are kept in the user's cache by path, size and time of change.</summary>
public static class WeightsHash
{
    private static readonly string[] Extensions = [".safetensors", ".bin", ".ckpt", ".pt", ".pth"];

    private static string Cache => Path.Combine(UserCache.Root, "sums");

    /// <param name="path">A file, or a folder with files of weights in it, below it, or in the model that it builds on.</param>
    /// <returns>Lower-case hexadecimal; null when there is nothing to sum.</returns>
    public static string? Of(string path)
    {
        if (File.Exists(path))
            return OfFile(path);
        if (!Directory.Exists(path))
            return null;
        var files = new ModelSources(path).Folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => Array.Exists(Extensions, extension => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase)))
            .Select(file => (Name: Path.GetRelativePath(path, file).Replace('\\', '/'), Path: file))
            .OrderBy(file => file.Name, StringComparer.Ordinal);
        var all = string.Concat(files.Select(file => $"{OfFile(file.Path)}  {file.Name}\n"));
        return all.Length == 0 ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)));
    }

    private static string OfFile(string path)
    {
        var info = new FileInfo(Path.GetFullPath(path));
        info = info.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? info;
        var key = string.Create(CultureInfo.InvariantCulture, $"{info.FullName}|{info.Length}|{info.LastWriteTimeUtc.Ticks}");
        var kept = Path.Combine(Cache, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16)));
        if (File.Exists(kept) && File.ReadAllText(kept) is { Length: 64 } known)
            return known;
        var sum = FileHash.Sha256(info.FullName);
        try
        {
            AtomicFile.WriteText(kept, sum);
        }
        catch (BrumaException)
        {
            // a cache that cannot be written costs time only
        }
        return sum;
    }
}
