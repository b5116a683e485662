#!/usr/bin/env dotnet
#:project ../src/Bruma
#:property PublishAot=false

// Lab 1: adversarial training. Train several GANs on the same pictures for the same time and watch them improve.
//
//   dotnet run labs/01-gans.cs                         Fashion-MNIST, four objectives, 5 minutes each
//   dotnet run labs/01-gans.cs -- --minutes 1 --output runs/lab1
//   dotnet run labs/01-gans.cs -- --quick              a few steps each, to see that all works

using Bruma.Data;
using Bruma.Gans;
using Bruma.Imaging;
using Bruma.Recipes;
using static TorchSharp.torch;

var quick = args.Contains("--quick");
var minutes = double.Parse(Option("--minutes", "5"), System.Globalization.CultureInfo.InvariantCulture);
var output = Option("--output", Path.Combine(Path.GetTempPath(), $"bruma-lab1-{DateTime.Now:yyyyMMdd-HHmmss}"));
Directory.CreateDirectory(output);

// 1. A loss is a function of what the discriminator says of real (r) and of generated pictures (f).
var (r, f) = (tensor(new float[] { 2, 1, -1 }), tensor(new float[] { -2, 0, 1 }));
Console.WriteLine($"non-saturating {AdversarialLosses.NonSaturatingDiscriminator(r, f).item<float>():0.000}, hinge {AdversarialLosses.HingeDiscriminator(r, f).item<float>():0.000}, Wasserstein {AdversarialLosses.WassersteinDiscriminator(r, f).item<float>():0.000}");

// 2. The same data and seed for each objective. A run writes its samples from the same noise, again and again.
var data = quick ? SmallSet() : FashionMnist.SourceName;
foreach (var objective in quick ? ["dcgan", "hinge"] : new[] { "dcgan", "wgan-gp", "hinge", "r3gan" })
{
    var options = new GanOptions(data, objective, Steps: quick ? 12 : 1_000_000, BatchSize: quick ? 8 : 0, Resolution: quick ? 16 : 0, CheckpointEvery: int.MaxValue, EvaluateSamples: quick ? 0 : 1000);
    using var training = GanTraining.Start(Path.Combine(output, objective), options.Checked());
    using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(minutes));
    foreach (var line in training.Introduction)
        Console.WriteLine(line);
    foreach (var report in training.Run(stop.Token))
        if (report.Step % 100 == 0)
            Console.WriteLine($"{objective} step {report.Step}: {string.Join(", ", report.Scalars.Select(scalar => $"{scalar.Key} {scalar.Value:0.000}"))}; {training.Rate}");

    // 3. What the numbers say, and the picture of how it learned, stand in report.html of the run.
    foreach (var line in training.Finish())
        Console.WriteLine($"  {line}");

    // 4. Between two noises lie pictures too.
    using var pipeline = GanPipeline.Load(Path.Combine(output, objective, "model"));
    using var scope = NewDisposeScope();
    var ends = pipeline.Latents(new GanRequest(2, Seed: 7));
    var path = stack([.. Enumerable.Range(0, 8).Select(i => LatentTour.Spherical(ends[0], ends[1], i / 7.0))]);
    PngFile.Write(Path.Combine(output, $"{objective}-between.png"), ContactSheet.Compose([.. ImageTensor.ToBytes(pipeline.Decode(path, null)).unbind()], columns: 8));
}
Console.WriteLine($"look into {output}: OBJECTIVE/report.html, OBJECTIVE/learning.png, OBJECTIVE-between.png");

string Option(string name, string otherwise) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;

// Squares and discs, for machines without the data set.
string SmallSet()
{
    var folder = Path.Combine(output, "shapes");
    Directory.CreateDirectory(folder);
    var place = arange(16);
    for (var i = 0; i < 24; i++)
    {
        using var scope = NewDisposeScope();
        var (x, y) = ((place - 4 - i % 8).unsqueeze(0), (place - 4 - i % 5).unsqueeze(1));
        var inside = i % 2 == 0 ? (x * x + y * y < 12) : (x.abs() < 4).logical_and(y.abs() < 4);
        PngFile.Write(Path.Combine(folder, $"{i:D2}.png"), (inside.to(uint8) * 255).unsqueeze(0));
    }
    return folder;
}
