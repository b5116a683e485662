using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Transformers;

/// <summary>What a model's folder says about writing texts: <c>generation_config.json</c>, else <c>config.json</c>.</summary>
/// <param name="EndIds">Tokens that end a text.</param>
/// <param name="DecoderStartId">What a decoder's text begins with.</param>
public sealed record GenerationDefaults(IReadOnlyList<long> EndIds, long? PadId, long? BosId, long? DecoderStartId)
{
    /// <exception cref="BrumaException">A file is malformed.</exception>
    public static GenerationDefaults Read(string folder)
    {
        var files = new[] { "generation_config.json", "config.json" }.Select(name => Path.Combine(folder, name)).Where(File.Exists).ToArray();
        long[] First(string key) => files.Select(file => Ids(file, key)).FirstOrDefault(ids => ids.Length > 0) ?? [];
        return new GenerationDefaults(First("eos_token_id"), One("pad_token_id"), One("bos_token_id"), One("decoder_start_token_id"));

        long? One(string key) => First(key) is [var id, ..] ? id : null;
    }

    private static long[] Ids(string file, string key)
    {
        using var json = PythonJson.ParseFile(file);
        if (!json.RootElement.TryGetProperty(key, out var value))
            return [];
        return value.ValueKind switch
        {
            JsonValueKind.Number => [value.GetInt64()],
            JsonValueKind.Array => [.. value.EnumerateArray().Select(id => id.GetInt64())],
            _ => [],
        };
    }
}
