using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Reports;

namespace Bruma.Recipes.Finetuning;

/// <summary>How a classifier does on its test examples: numbers, who is taken for whom, the most confident mistakes.</summary>
internal static class ClassificationReport
{
    private const int Mistakes = 20;
    private const int Thumbnail = 128;

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>Lines to tell.</returns>
    public static IEnumerable<string> Write(string folder, ClassificationTask task)
    {
        if (task.Count(Split.Test) == 0)
            return [];
        var scores = task.Scores(Split.Test);
        var examples = task.Data.Of(Split.Test);
        WritePredictions(Path.Combine(folder, "predictions.jsonl"), task, scores);
        var page = new HtmlReport($"Classes: {string.Join(", ", scores.Classes.Take(12))}");
        page.Table(["test examples", "accuracy", "standard error", "macro F1", "cross-entropy"], [[$"{scores.Labels.Count}", Share(scores.Accuracy), Share(scores.StandardError), Share(scores.MacroF1), scores.Loss.ToString("0.000", CultureInfo.InvariantCulture)]]);
        Confusion(Path.Combine(folder, "confusion.png"), scores);
        page.Heading("Who is taken for whom").Picture("confusion.png", "rows: the label; columns: the prediction", smooth: true);
        if (File.Exists(Path.Combine(folder, "loss.png")))
            page.Heading("Training").Picture("loss.png", "loss and learning rate", smooth: true);
        page.Heading("The most confident mistakes");
        foreach (var (row, confidence) in scores.Mistakes().Take(Mistakes))
            if (task.Picture(examples[row]) is { } picture)
                page.EmbeddedPicture(Small(picture), Mistake(scores, row, confidence, task.Show(examples[row])), smooth: true);
        if (task.Picture(examples[0]) is null)
            page.Table(["text", "label", "prediction", "confidence"], scores.Mistakes().Take(Mistakes).Select(pair => (string[])[task.Show(examples[pair.Row]), scores.Classes[scores.Labels[pair.Row]], scores.Classes[scores.Predictions[pair.Row]], Share(pair.Confidence)]));
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), page.ToString());
        return [$"report: {Path.Combine(folder, "report.html")}"];
    }

    public static void Confusion(string path, ClassificationScores scores)
    {
        var counts = scores.Confusion();
        var shares = new double[scores.Classes.Count, scores.Classes.Count];
        for (var i = 0; i < scores.Classes.Count; i++)
            for (var (j, total) = (0, Enumerable.Range(0, scores.Classes.Count).Sum(k => counts[i, k])); j < scores.Classes.Count; j++)
                shares[i, j] = counts[i, j] / Math.Max(1, total);
        Heatmap.Write(path, "share of each label", shares, scores.Classes, scores.Classes, (0, 1), showValues: true);
    }

    /// <summary>A picture at thumbnail size as a PNG file.</summary>
    public static byte[] Small(string file)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var picture = ImageFile.Load(file);
        var scale = (double)Thumbnail / Math.Max(picture.shape[1], picture.shape[2]);
        return PngFile.ToBytes(Resampling.Resize(picture, Math.Max(1, (int)(picture.shape[2] * scale)), Math.Max(1, (int)(picture.shape[1] * scale)), ResampleFilter.Bilinear));
    }

    public static string Mistake(ClassificationScores scores, int row, double confidence, string name) =>
        $"{name}: {scores.Classes[scores.Labels[row]]} taken for {scores.Classes[scores.Predictions[row]]} ({Share(confidence)})";

    private static void WritePredictions(string path, ClassificationTask task, ClassificationScores scores) => AtomicFile.Write(path, stream =>
    {
        var examples = task.Data.Of(Split.Test);
        for (var i = 0; i < examples.Count; i++)
        {
            JsonSerializer.Serialize(stream, new { example = task.Show(examples[i]), label = scores.Classes[scores.Labels[i]], prediction = scores.Classes[scores.Predictions[i]], probability = scores.Probabilities[i][scores.Predictions[i]] }, Readable);
            stream.Write("\n"u8);
        }
    });

    private static string Share(double value) => value.ToString("0.0 %", CultureInfo.InvariantCulture);
}
