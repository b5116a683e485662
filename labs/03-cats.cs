#!/usr/bin/env dotnet
#:project ../src/Bruma
#:property PublishAot=false

// Lab 3: cats. Adapt a text-to-image model to photos, steer what it draws, and say honestly how good it is; on the public API only.
//
//   dotnet run labs/03-cats.cs                                              twelve photos, the model that comes with Bruma
//   dotnet run labs/03-cats.cs -- --photos folder --model path --steps 2000 --output out
//   dotnet run labs/03-cats.cs -- --quick                                   a few steps, to see that all works
//
// Twelve photos are enough to see everything happen, and too few for good cats: give a folder of your own, or the four hundred of bruma data build cats.

using Bruma.Adapters;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;
using Bruma.Training;
using static TorchSharp.torch;

var quick = args.Contains("--quick");
var output = Option("--output", Path.Combine(Path.GetTempPath(), $"bruma-lab3-{Environment.ProcessId}"));
var photos = Option("--photos", Find(Path.Combine("tests", "data", "cats", "metadata.jsonl")) is { } list ? Path.GetDirectoryName(list)! : throw new InvalidOperationException("name a folder of photos with --photos"));
var model = Option("--model", FindModel());
var steps = int.Parse(Option("--steps", quick ? "6" : "400"), System.Globalization.CultureInfo.InvariantCulture);
Directory.CreateDirectory(output);
var cells = new List<LabelledPicture>();

// 1. Look at the data first: what is trained on is a square around the head, or the middle.
var source = ImageSource.Open(photos);
Console.WriteLine($"{photos}: {source.Examples.Count} photos");
for (var i = 0; i < Math.Min(12, source.Examples.Count); i++)
{
    using var photo = source.Load(i);
    cells.Add(new(PictureSquare.Cut(photo, source.Examples[i], 128), Path.GetFileNameWithoutExtension(source.Examples[i].Name)));
}
Sheet("photos.png", "what is trained on", 6);

// 2. What the base makes of the words, before it has seen a photo.
string[] prompts = ["a photo of an Abyssinian cat", "a photo of a Bengal cat"];
using (var before = StableDiffusionPipeline.Load(model))
    Drawn(before, prompts, "before");

// 3. Adapt it: a low-rank update of attention and convolutions. A part of many photos is watched; of few none can be spared.
var options = new AdaptationOptions(AdaptationOptions.Lora, model, photos, Steps: steps, BatchSize: 4, LearningRate: 1e-3, LrSchedule: "cosine", Rank: quick ? 4 : 16,
    Targets: [.. LoraTargets.Attention, .. LoraTargets.Convolutions], SampleEvery: quick ? 0 : 100, CheckpointEvery: Math.Max(1, steps / 4), Seed: 1, Precision: quick ? "fp32" : ComputePrecision.Default) { ReportSamples = 0 };
var run = Path.Combine(output, "run");
using (var training = AdaptationRun.Start(run, options))
{
    foreach (var line in training.Introduction)
        Console.WriteLine(line);
    foreach (var report in training.Run())
        if (report.Step % Math.Max(1, steps / 10) == 0)
            Console.WriteLine($"step {report.Step}: loss {report.Loss:0.000}, {training.Rate}");
    foreach (var line in training.Finish())
        Console.WriteLine(line);
}

// 4. The same words and the same noise, with what was learned.
using (var pipeline = StableDiffusionPipeline.Load(model))
{
    pipeline.AddAdapters([new NamedFile(Path.Combine(run, "model", "pytorch_lora_weights.safetensors"))], keepOriginals: false);
    Drawn(pipeline, prompts, "after");

    // 5. Steering: guidance, a photo to start from, another language.
    var request = Request(pipeline) with { Seed = 3 };
    foreach (var guidance in quick ? [1.0, 4.0] : new[] { 1.0, 2.0, 4.0, 8.0 })
        cells.Add(new(Draw(pipeline, prompts[1], request with { GuidanceScale = guidance }), $"guidance {guidance}"));
    using var first = source.Load(0);
    using var start = PictureSquare.Cut(first, source.Examples[0], (int)cells[^1].Pixels.shape[1]);
    foreach (var strength in quick ? [0.5] : new[] { 0.3, 0.5, 0.7, 0.9 })
        cells.Add(new(Draw(pipeline, prompts[1], request with { Start = new StartImage(start, strength) }), $"from a photo, {strength}"));
    cells.Add(new(Draw(pipeline, "una foto de un gato bengalí", request), "in Spanish"));
    Sheet("steered.png", $"\"{prompts[1]}\", steered", 4);
}

// 6. How good is it? Not by eye: against photos, against the base, against what the autoencoder alone does to photos.
var judge = Find(Path.Combine("models", "efficientnet-lite0", "config.json")) is { } network ? Path.GetDirectoryName(network)! : FeatureNetworks.Default;
var findings = AdaptationReport.Write(new AdaptationReportOptions(run, quick ? 6 : 64, Features: judge));
foreach (var set in findings.Sets)
    Console.WriteLine($"{set.Label}: KID {set[SetComparison.KidMean]:0.000}, coverage {set["coverage"]:0.00}, copies {set["copies"]:0.00}");
foreach (var line in findings.Verdict)
    Console.WriteLine(line);
Console.WriteLine($"sheets in {output}, report in {Path.Combine(run, "report.html")}");

void Drawn(StableDiffusionPipeline pipeline, string[] words, string name)
{
    foreach (var prompt in words)
        for (var seed = 0; seed < (quick ? 1 : 4); seed++)
            cells.Add(new(Draw(pipeline, prompt, Request(pipeline) with { Seed = seed }), $"seed {seed}"));
    Sheet($"{name}.png", $"{name}: {string.Join("; ", words)}", cells.Count / words.Length);
}

ImageRequest Request(StableDiffusionPipeline pipeline) => new() { Steps = quick ? 3 : pipeline.Defaults.Steps ?? 25, GuidanceScale = pipeline.Defaults.GuidanceScale ?? 4 };

Tensor Draw(StableDiffusionPipeline pipeline, string prompt, ImageRequest request) => pipeline.Generate(prompt, request).Single().ToTensor();

void Sheet(string name, string title, int columns)
{
    using var sheet = LabelledSheet.Compose(title, cells, columns);
    PngFile.Write(Path.Combine(output, name), sheet);
    foreach (var cell in cells)
        cell.Pixels.Dispose();
    cells.Clear();
}

string FindModel() => (quick ? null : Find(Path.Combine("models", "emoji", "model_index.json"))) is { } shipped ? Path.GetDirectoryName(shipped)!
    : Find(Path.Combine("tests", "goldens", "pipelines", "tiny-sd", "model_index.json")) is { } tiny ? Path.GetDirectoryName(tiny)!
    : InstalledModels.All().FirstOrDefault(known => StableDiffusionPipeline.Knows(new ModelSources(known.Folder).ClassName))?.Folder ?? throw new InvalidOperationException("name a model with --model");

string? Find(string file)
{
    for (var folder = new DirectoryInfo(Directory.GetCurrentDirectory()); folder is not null; folder = folder.Parent)
        if (File.Exists(Path.Combine(folder.FullName, file)))
            return Path.Combine(folder.FullName, file);
    return null;
}

string Option(string name, string missing) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : missing;
