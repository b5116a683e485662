using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Data;

/// <summary><c>metadata.jsonl</c> of a folder of pictures: a JSON object for each, with <c>file_name</c> and further columns.</summary>
internal static class PictureMetadata
{
    private const string Name = "metadata.jsonl";

    public static string PathIn(string folder) => Path.Combine(folder, Name);

    public static bool IsIn(string folder) => File.Exists(PathIn(folder));

    /// <summary>A further column of a picture, read as JSON; the default where it is missing or of another kind.</summary>
    public static T? Column<T>(ImageExample example, string name)
    {
        try
        {
            return example.Columns?.GetValueOrDefault(name) is { } text ? JsonSerializer.Deserialize<T>(text) : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    /// <summary>Writes the rows, after the pictures: a folder that has the file is complete.</summary>
    public static void Write(string folder, IEnumerable<object> rows) => AtomicFile.WriteText(PathIn(folder), string.Concat(rows.Select(row => JsonSerializer.Serialize(row) + "\n")));
}
