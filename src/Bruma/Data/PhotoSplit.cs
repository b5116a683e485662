using System.Security.Cryptography;
using System.Text;

namespace Bruma.Data;

/// <summary>Which of the pets photos the shipped model has seen: the others stay for tests of fine-tuning.</summary>
public static class PhotoSplit
{
    private const int FirstSeen = 51;

    /// <param name="fileName">Exactly as <c>metadata.jsonl</c> has it, folder included, such as <c>Abyssinian/Abyssinian_1.jpg</c>.</param>
    /// <returns>Whether the first byte of its SHA-256 is 51 or more: four of five photos.</returns>
    public static bool IsSeen(string fileName) => SHA256.HashData(Encoding.UTF8.GetBytes(fileName))[0] >= FirstSeen;

    /// <summary>The photos that training may see.</summary>
    public static ImageSource Seen(ImageSource photos) =>
        new ImageSubset(photos, [.. Enumerable.Range(0, photos.Examples.Count).Where(i => IsSeen(photos.Examples[i].Name))], "seen by the shipped model");
}
