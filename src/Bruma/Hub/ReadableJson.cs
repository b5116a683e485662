using System.Text.Encodings.Web;
using System.Text.Json;

namespace Bruma.Hub;

/// <summary>JSON files that people read too: indented, accents and signs as they are.</summary>
internal static class ReadableJson
{
    public static JsonSerializerOptions Options { get; } = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
