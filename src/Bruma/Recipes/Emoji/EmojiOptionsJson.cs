using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Bruma.Recipes.Emoji;

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EmojiOptions))]
[JsonSerializable(typeof(EmojiVaeOptions))]
[JsonSerializable(typeof(EmojiTextOptions))]
[JsonSerializable(typeof(EmojiUnetOptions))]
internal sealed partial class EmojiOptionsJson : JsonSerializerContext
{
    /// <exception cref="BrumaException">The file is no such configuration.</exception>
    public static T Read<T>(string path, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type)!;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{path}: not the configuration of a run ({e.Message.TrimEnd('.')}); give the folder that bruma train wrote.", e);
        }
    }
}
