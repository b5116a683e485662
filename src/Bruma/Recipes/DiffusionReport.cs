using Bruma.Data;
using Bruma.Diffusion;
using Bruma.Imaging;
using Bruma.Reports;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>What a finished run shows: samples, the loss, and for models with classes how many samples are taken for their class.</summary>
public static class DiffusionReport
{
    private const int SamplesPerClass = 8;
    private const int BatchSize = 64;

    /// <param name="folder">The run.</param>
    /// <param name="pipeline">The averaged weights.</param>
    /// <param name="training">What it was trained on, and the pictures in memory.</param>
    /// <returns>Lines to tell.</returns>
    public static IReadOnlyList<string> Write(string folder, DiffusionPipeline pipeline, (ImageSource Source, TrainingImages Images) training, DiffusionOptions options)
    {
        using var scope = NewDisposeScope();
        var sheet = Path.Combine(folder, "samples", "final.png");
        var classes = training.Source.ClassNames;
        PngFile.Write(sheet, classes.Count == 0
            ? ContactSheet.Compose([.. ImageTensor.ToBytes(pipeline.Generate(new DiffusionRequest(4 * SamplesPerClass, options.Seed))).unbind()], SamplesPerClass)
            : ContactSheet.Compose([.. classes.SelectMany((_, label) => ImageTensor.ToBytes(pipeline.Generate(new DiffusionRequest(SamplesPerClass, options.Seed, label))).unbind())], SamplesPerClass));
        var lines = classes.Count > 1 ? Accuracy(pipeline, training, options) : [];
        File.WriteAllText(Path.Combine(folder, "report.html"), Html(options, lines, classes));
        return [.. lines, $"report: {Path.Combine(folder, "report.html")}"];
    }

    private static List<string> Accuracy(DiffusionPipeline pipeline, (ImageSource Source, TrainingImages Images) training, DiffusionOptions options)
    {
        var classes = training.Source.ClassNames.Count;
        var like = new BatchOptions(BatchSize, options.Resolution, options.Flip ?? false, options.RandomCrop, options.Seed);
        using var judge = ClassAccuracy.Train(training.Images, classes, like, options.Steps);
        var fashion = options.Data == FashionMnist.SourceName;
        using var real = fashion ? TrainingImages.Load(FashionMnist.Test(), options.Resolution) : null;
        var pictures = real ?? training.Images;
        using var batch = new ImageBatches(pictures, like with { BatchSize = Math.Min(2000, pictures.Count), Flip = false }).At(0);
        var lines = new List<string> { FormattableString.Invariant($"class accuracy of real pictures{(fashion ? " not trained on" : " (trained on)")}: {judge.Of(batch.Images, batch.Classes!):P1}") };
        foreach (var scale in new[] { 1, pipeline.Defaults.GuidanceScale ?? 1 }.Distinct())
            lines.Add(FormattableString.Invariant($"class accuracy of {options.ReportSamples} samples, guidance {scale}: {OfSamples(pipeline, judge, (classes, scale), options):P1}"));
        return lines;
    }

    private static double OfSamples(DiffusionPipeline pipeline, ClassAccuracy judge, (int Classes, double Scale) how, DiffusionOptions options)
    {
        var perClass = Math.Max(1, options.ReportSamples / how.Classes);
        return Enumerable.Range(0, how.Classes).Average(label =>
        {
            using var scope = NewDisposeScope();
            var pictures = pipeline.Generate(new DiffusionRequest(perClass, options.Seed + 1000L * label, label, GuidanceScale: how.Scale));
            return judge.Of(pictures, full([perClass], label, int64));
        });
    }

    private static string Html(DiffusionOptions options, List<string> lines, IReadOnlyList<string> classes)
    {
        var page = new HtmlReport($"{Path.GetFileName(options.Data)}, {options.Resolution} px, {options.Steps} steps");
        foreach (var line in lines)
            page.Paragraph(line);
        return page
            .Heading("Samples").Picture("samples/final.png", $"{(classes.Count > 0 ? $"Rows: {string.Join(", ", classes)}. " : "")}Averaged weights, {DiffusionObjectives.StepsFor(options)} steps.")
            .Heading("Loss").Picture("loss.png", "Loss and learning rate over steps.", smooth: true)
            .Heading("Settings").Preformatted(options.ToJson())
            .ToString();
    }
}
