using System.Security.Cryptography;

namespace Bruma.Hub;

/// <summary>Checksums of files.</summary>
public static class FileHash
{
    /// <returns>The SHA-256 sum as 64 lower-case hexadecimal digits.</returns>
    /// <exception cref="BrumaException">The file is missing or not readable.</exception>
    public static string Sha256(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BrumaException($"{path}: cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }
}
