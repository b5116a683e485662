using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Data.Emoji;

/// <summary>What is known of a built data set beside its pixels.</summary>
/// <param name="DrawnBy">Program and version that drew the SVGs.</param>
/// <param name="Pictures">In the order of the pixels.</param>
/// <param name="Toned">Pictures with skin tones, in the order of their pixels.</param>
/// <param name="Skipped">Why pictures were left out.</param>
/// <param name="Texts">Names and tags in both languages.</param>
public sealed record EmojiIndex(
    string DrawnBy,
    IReadOnlyList<EmojiSource> Sources,
    IReadOnlyList<string> Styles,
    IReadOnlyList<EmojiConcept> Concepts,
    IReadOnlyList<EmojiPicture> Pictures,
    IReadOnlyList<EmojiPicture> Toned,
    IReadOnlyList<string> Skipped,
    IReadOnlyList<string> Texts);

/// <summary>The files of a built data set.</summary>
internal static class EmojiFiles
{
    public const string Index = "emoji.json";
    public const string Pictures = "pictures.safetensors";
    public const string Tones = "tones.safetensors";
    private const string HashFile = "sha256";

    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes the index and the hash over everything; the pixels are there already.</summary>
    public static void Write(string folder, EmojiIndex index)
    {
        AtomicFile.WriteText(Path.Combine(folder, Index), JsonSerializer.Serialize(index, Options));
        var parts = new[] { Index, Pictures, Tones }.Select(file => $"{file} {FileHash.Sha256(Path.Combine(folder, file))}\n");
        AtomicFile.WriteText(Path.Combine(folder, HashFile), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(parts)))) + "\n");
    }

    public static bool Exist(string folder) => File.Exists(Path.Combine(folder, HashFile));

    /// <exception cref="BrumaException">There is no finished data set.</exception>
    public static (EmojiIndex Index, string Sha256) Read(string folder)
    {
        try
        {
            return (JsonSerializer.Deserialize<EmojiIndex>(File.ReadAllBytes(Path.Combine(folder, Index)), Options)!, File.ReadAllText(Path.Combine(folder, HashFile)).Trim());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{folder}: no emoji data set there ({e.Message.TrimEnd('.')}); build it with bruma data build {(Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)) == "openmoji" ? "openmoji" : "emoji")}.", e);
        }
    }
}
