using System.Security.Cryptography;
using System.Text;
using Bruma.Hub;

namespace Bruma.Data.Emoji;

/// <summary>Where a part of the data set came from.</summary>
/// <param name="Sha256">Of the package's data files, names and contents.</param>
public sealed record EmojiSource(string Package, string Version, string Licence, string Authors, string Origin, string Sha256)
{
    internal static EmojiSource Of(string modules, EmojiPackage package)
    {
        var version = PackageFile.Version(modules, package.Package);
        var root = Path.Combine(modules, package.Package);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Where(IsData).Order(StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes($"{file} {FileHash.Sha256(Path.Combine(root, file))}\n"));
        return new EmojiSource(package.Package, version, package.Licence, package.Authors, package.Origin, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static bool IsData(string file) =>
        file is "icons.json" or "chars.json" or "en/data.json" or "es/data.json" or "meta/groups.json" or "meta/unicode-names.json"
        || file.EndsWith(".webp", StringComparison.Ordinal) || (file.StartsWith("en/shortcodes/", StringComparison.Ordinal) && file.EndsWith(".json", StringComparison.Ordinal));
}
