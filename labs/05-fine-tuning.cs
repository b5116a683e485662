#!/usr/bin/env dotnet
#:project ../src/Bruma
#:property PublishAot=false

// Lab 5: adapt a pretrained model to a task of your own, and find out whether it was worth it.
//   dotnet run labs/05-fine-tuning.cs             about ten minutes on two cores
//   dotnet run labs/05-fine-tuning.cs -- --quick  under a minute, on fewer examples
// Data: one-line descriptions of Debian packages, to be sorted into six sections (games, graphics, net, science, sound, text).
// Needs BRUMA_SHARED with models/all-MiniLM-L6-v2 and data/debian-sections, or ../shared beside the repository.

using System.Globalization;
using Bruma.Data;
using Bruma.Recipes.Finetuning;
using Bruma.Training;
using Bruma.Verification;
using static TorchSharp.torch;

var quick = args.Contains("--quick");
var models = SharedFolder.Find(Directory.GetCurrentDirectory(), "models");
var data = SharedFolder.Find(Directory.GetCurrentDirectory(), "data");
if (models is null || data is null || !Directory.Exists(Path.Combine(models, "all-MiniLM-L6-v2")) || !Directory.Exists(Path.Combine(data, "debian-sections")))
{
    Console.WriteLine("This lab needs models/all-MiniLM-L6-v2 and data/debian-sections in the folder that BRUMA_SHARED names; nothing was done.");
    return;
}

var work = Path.Combine(Path.GetTempPath(), $"bruma-lab5-{Environment.ProcessId}");
Directory.CreateDirectory(work);
try
{
    var train = Path.Combine(data, "debian-sections", "train.jsonl");
    var test = Path.Combine(data, "debian-sections", "test.jsonl");
    if (quick)
        (train, test) = (Part(train, 240), Part(test, 120));
    var basis = new FinetuneOptions(Path.Combine(models, "all-MiniLM-L6-v2"), train, FinetuneTasks.TextClassification, Test: test,
        ValidationShare: 0.1, Epochs: quick ? 1 : 3, MaxLength: 32, Precision: ComputePrecision.Default, Threads: get_num_threads());

    Console.WriteLine($"{LabelledTexts.Read(train).Count} examples. What does a classifier reach that knows no language at all?");
    var words = TfIdf.Fit([.. LabelledTexts.Read(train).Select(row => row.Text)]);
    Console.WriteLine($"  bags of {words.Width} words, logistic regression: {BagOfWords(train, test, words):P1}");

    // 1. Freeze the network and fit a linear classifier on its sentence vectors: seconds, and hard to beat.
    // 2. Low-rank updates beside the frozen weights: under 1 % of the parameters are trained.
    // 3. Everything.
    foreach (var strategy in quick ? new[] { "probe", "lora" } : ["probe", "lora", "last-2", "full"])
    {
        using var training = FinetuneTraining.Start(Path.Combine(work, strategy), basis with { Strategy = strategy });
        Console.WriteLine($"\n{training.Introduction.Last()}");
        foreach (var report in training.Run())
            if (report.Extra.Count > 0)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  step {report.Step}: loss {report.Loss:0.000}, {string.Join(", ", report.Extra.Select(pair => $"{pair.Key} {pair.Value:0.000}"))}"));
        foreach (var line in training.Finish())
            Console.WriteLine($"  {line}");
    }

    Console.WriteLine("\nThe result is a folder that loads again:");
    using var predictor = Predictor.Load(Path.Combine(work, "lora", "model"));
    foreach (var text in new[] { "strategy game set in ancient Rome", "decoder for compressed audio streams", "library to solve partial differential equations" })
        Console.WriteLine($"  {text}: {predictor.Predict(text)[0].Label}");

    // The rate of a run matters more than its schedule: let it grow and see where the loss falls fastest, and where it breaks.
    if (!quick)
    {
        var range = LearningRateRange.Of([.. FinetuneTraining.FindRate(basis with { Strategy = "full" }, 60)]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nfull fine-tuning: the loss falls fastest at a rate of {range.Steepest:0.0e+00}; suggested: {range.Suggested:0.0e+00}"));
    }
}
finally
{
    Directory.Delete(work, recursive: true);
}

string Part(string file, int rows)
{
    var path = Path.Combine(work, Path.GetFileName(file));
    File.WriteAllLines(path, File.ReadLines(file).Take(rows));
    return path;
}

static double BagOfWords(string train, string test, TfIdf words)
{
    var (known, asked) = (LabelledTexts.Read(train), LabelledTexts.Read(test));
    var classes = known.Select(row => row.Label).Distinct().Order(StringComparer.Ordinal).ToList();
    FeatureRows Rows(IEnumerable<LabelledText> texts) => new(words.Width, [.. texts.Select(row => words.Of(row.Text))]);
    var (model, _) = LogisticRegression.FitBest(Rows(known), [.. known.Select(row => classes.IndexOf(row.Label))], classes.Count);
    return model.Predict(Rows(asked)).Zip(asked).Average(pair => classes[Array.IndexOf(pair.First, pair.First.Max())] == pair.Second.Label ? 1.0 : 0.0);
}
