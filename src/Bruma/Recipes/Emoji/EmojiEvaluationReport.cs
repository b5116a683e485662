using System.Globalization;
using System.Text.Json.Nodes;
using Bruma.Hub;
using Bruma.Reports;

namespace Bruma.Recipes.Emoji;

/// <summary><c>metrics.json</c> and <c>report.html</c> of the judgement of an emoji model.</summary>
internal static class EmojiEvaluationReport
{
    private const double TwoSided = 1.96;
    /// <summary>The columns of the table.</summary>
    public static IReadOnlyList<string> Columns { get; } = ["prompts", "number", "concept top-1", "real", "top-5", "real", "style", "real", "R-precision", "real", "FD-emoji", "real", "coverage", "real", "copies", "real"];

    /// <returns>The rows of the table.</returns>
    public static IReadOnlyList<IReadOnlyList<string>> Write(EmojiEvaluationOptions options, string settings, IReadOnlyList<EmojiScores> scores)
    {
        var rows = scores.Select(Row).ToList();
        AtomicFile.WriteText(Path.Combine(options.Output, "metrics.json"), new JsonObject
        {
            ["model"] = options.Model,
            ["model_sha256"] = SampleModels.HashOf(options.Model),
            ["settings"] = settings,
            ["features"] = "emoji",
            ["features_sha256"] = FileHash.Sha256(ModelFolder.FindWeights(options.Scorer)),
            ["seed"] = options.Seed,
            ["sets"] = new JsonObject(scores.Select(score => KeyValuePair.Create(score.Set.Key, (JsonNode?)Json(score)))),
        }.ToJsonString(ReadableJson.Options) + "\n");
        var page = new HtmlReport($"{Path.GetFileName(options.Model.TrimEnd('/'))}: what was learned, and what was held out");
        page.Paragraph($"Drawn with {settings}, from seed {options.Seed} on. Judged by a scorer of pictures and captions that was trained on all data and never taught this model; what it says of the real pictures is beside every number. Shares have their 95 % interval.");
        page.Table(Columns, rows);
        foreach (var score in scores)
        {
            page.Heading(score.Set.Title).Picture($"sheet-{score.Set.Key}.png", "The first 64, uncurated.");
            page.List(score.Set.Prompts.Take(8).Select(prompt => prompt.Caption));
        }
        page.Heading("Nearest learned pictures").Picture("nearest.png", "Samples of learned prompts, each left of the learned picture that it most resembles; the most alike first.");
        AtomicFile.WriteText(Path.Combine(options.Output, "report.html"), page.ToString());
        return rows;
    }

    private static string[] Row(EmojiScores score)
    {
        var (own, real) = (score, score.Real!);
        string Share(double value) => string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.0} % ± {100 * TwoSided * Math.Sqrt(value * (1 - value) / score.Set.Prompts.Count):0.0}");
        string Plain(double value) => string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.0} %");
        return
        [
            score.Set.Title, score.Set.Prompts.Count.ToString(CultureInfo.InvariantCulture),
            Share(own.Accuracy.Top1), Plain(real.Accuracy.Top1), Plain(own.Accuracy.Top5), Plain(real.Accuracy.Top5), Plain(own.Accuracy.Style), Plain(real.Accuracy.Style), Share(own.Accuracy.Retrieval), Plain(real.Accuracy.Retrieval),
            EvaluationNumbers.Text(own.Frechet), EvaluationNumbers.Text(real.Frechet), Plain(own.Coverage), Plain(real.Coverage), Plain(own.Copies), Plain(real.Copies),
        ];
    }

    private static JsonObject Json(EmojiScores score)
    {
        var json = new JsonObject
        {
            ["count"] = score.Set.Prompts.Count,
            ["concept_top1"] = score.Accuracy.Top1,
            ["concept_top5"] = score.Accuracy.Top5,
            ["style_accuracy"] = score.Accuracy.Style,
            ["r_precision"] = score.Accuracy.Retrieval,
            ["frechet_distance"] = score.Frechet,
            ["coverage"] = score.Coverage,
            ["copies"] = score.Copies,
        };
        if (score.Real is { } real)
            json["real"] = Json(real);
        return json;
    }
}
