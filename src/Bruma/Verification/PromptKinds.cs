using System.Text.Json;
using Bruma.StableDiffusion;
using Bruma.Text;

namespace Bruma.Verification;

/// <summary>Prompts to weighted parts, ids and embeddings.</summary>
internal static class PromptKinds
{
    public static void Weights(GoldenCase golden, CaseReport report)
    {
        foreach (var row in golden.Spec.GetProperty("cases").EnumerateArray())
        {
            var prompt = row.GetProperty("prompt").GetString()!;
            var (actual, expected) = (PromptWeights.Parse(prompt), row.GetProperty("parts").EnumerateArray().ToList());
            report.CompareExact($"{prompt}: texts", actual.Select(part => part.Text), expected.Select(part => part[0].GetString()!));
            if (actual.Count == expected.Count)
                report.Compare($"{prompt}: weights", [.. actual.Select(part => part.Weight)], [.. expected.Select(part => part[1].GetDouble())]);
        }
    }

    public static void Embeddings(GoldenCase golden, CaseReport report)
    {
        using var model = PromptEncoder.Load(Sources(golden));
        var prompts = Texts(golden.Spec.GetProperty("prompts"));
        for (var i = 0; i < prompts.Count; i++)
        {
            report.Compare($"input_ids.{i}", model.Encoders[0].Ids(model.Encoders[0].Prompts.Read(prompts[i], PromptSyntax.Plain)));
            foreach (var name in golden.Names($"embeds.{i}."))
                report.Compare(name, model.Encode([prompts[i]], new PromptReading(ClipSkip: int.Parse(name.Split('.')[^1], System.Globalization.CultureInfo.InvariantCulture))).Context);
        }
    }

    public static void XlEmbeddings(GoldenCase golden, CaseReport report)
    {
        using var model = PromptEncoder.Load(Sources(golden));
        string? Text(string key) => golden.Spec.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        var reading = new PromptReading(ClipSkip: golden.Spec.TryGetProperty("clip_skip", out var skip) && skip.ValueKind == JsonValueKind.Number ? skip.GetInt32() : null);
        var positive = model.Encode([Text("prompt")!], reading, Text("prompt_2") is { } second ? [second] : null);
        var negative = model.EncodeNegative(positive, Text("negative_prompt") is { } text ? [text] : null, reading, Text("negative_prompt_2") is { } other ? [other] : null);
        report.Compare("prompt_embeds", positive.Context);
        report.Compare("pooled", positive.Pooled!);
        report.Compare("negative_prompt_embeds", negative.Context);
        report.Compare("negative_pooled", negative.Pooled!);
    }

    /// <summary>The folder of the spec with the parts that replace its own.</summary>
    internal static ModelSources Sources(GoldenCase golden)
    {
        var spec = golden.Spec;
        var components = spec.TryGetProperty("components", out var given) ? given.EnumerateObject().ToDictionary(part => part.Name, part => golden.PathOf(part.Value.GetString()!)) : null;
        var vocabulary = spec.TryGetProperty("vocab_from", out var from) ? golden.PathOf(from.GetString()!) : null;
        var options = spec.TryGetProperty("config", out var config) ? config : spec;
        var zeros = options.TryGetProperty("force_zeros_for_empty_prompt", out var force) ? force.GetBoolean() : (bool?)null;
        return new ModelSources(golden.PathOf(spec.GetProperty("folder").GetString()!), components, vocabulary, ForceZeros: zeros);
    }

    internal static List<string> Texts(JsonElement json) => json.ValueKind == JsonValueKind.Array ? [.. json.EnumerateArray().Select(item => item.GetString()!)] : [json.GetString()!];
}
