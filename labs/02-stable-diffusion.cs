#!/usr/bin/env dotnet
#:project ../src/Bruma
#:property PublishAot=false

// Lab 2: Stable Diffusion from the inside, on the public API only.
//
//   dotnet run labs/02-stable-diffusion.cs                                  the model that comes with Bruma, or a tiny random one
//   dotnet run labs/02-stable-diffusion.cs -- --model path-or-hub-id --prompt "a photo of a cat" --output out
//   dotnet run labs/02-stable-diffusion.cs -- --quick                       few steps, to see that all works
//
// With the tiny random model of the reference cases pictures look like noise; every step is the same as with a real one.

using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Text;
using static TorchSharp.torch;

var quick = args.Contains("--quick");
var output = Option("--output", Path.Combine(Path.GetTempPath(), $"bruma-lab2-{Environment.ProcessId}"));
var model = Option("--model", FindModel());
var prompt = Option("--prompt", "a red apple");
var steps = quick ? 3 : 20;
Directory.CreateDirectory(output);

using var pipeline = StableDiffusionPipeline.Load(model);
Console.WriteLine($"{model}: {pipeline.Network.Config.InChannels} channels in, text of width {pipeline.Prompts.Encoders[0].Config.HiddenSize}, {pipeline.Scheduler.ClassName}");

// 1. A prompt becomes tokens, tokens become vectors, one for each of the encoder's 77 places.
var encoder = pipeline.Prompts.Encoders[0];
var window = encoder.Prompts.Read(prompt, PromptSyntax.Plain)[0];
Console.WriteLine($"tokens: {string.Join(" ", window.Ids.Take(8))} ...");
var embedding = pipeline.Prompts.Encode([prompt], default);
Console.WriteLine($"embedding: [{string.Join(", ", embedding.Context.shape)}]");

// 2. The whole way from noise to a picture, with a look at every step.
var request = new ImageRequest { Steps = steps, GuidanceScale = 7, Seed = 42 };
foreach (var image in pipeline.Generate(prompt, request, step => Console.WriteLine($"step {step.Step} of {step.Steps}: t = {step.Timestep:0}, deviation of the latents {step.Latents.std().item<float>():0.000}")))
    image.Save(Path.Combine(output, "picture.png"));

// 3. The same by hand: scheduler, network, guidance.
using (var scope = NewDisposeScope())
using (no_grad())
{
    using var scheduler = Scheduler.Create(SchedulerNames.Find("euler", pipeline.Scheduler), steps);
    var (text, nothing) = (embedding.Context, pipeline.Prompts.Encode([""], default).Context);
    var latents = pipeline.NoiseOf(42, request) * scheduler.InitNoiseSigma;
    for (var i = 0; i < scheduler.Timesteps.Count; i++)
    {
        var time = full([1], scheduler.Timesteps[i], float32);
        var input = scheduler.ScaleInput(latents, i);
        var unguided = pipeline.Network.call(input, time, new UNetConditioning(nothing));
        var guided = unguided + 7 * (pipeline.Network.call(input, time, new UNetConditioning(text)) - unguided);
        latents = scheduler.Step(guided, i, latents, NormalNoise.None);
    }
    PngFile.Write(Path.Combine(output, "by-hand.png"), ImageTensor.ToBytes(pipeline.Decode(latents))[0]);
}

// 4. What the settings do: steps and guidance on one sheet.
var cells = new List<LabelledPicture>();
foreach (var count in quick ? [1, 2] : new[] { 5, 10, 20 })
    foreach (var guidance in quick ? [1.0, 7.0] : new[] { 1.0, 4.0, 7.0, 12.0 })
        cells.Add(new(Draw(request with { Steps = count, GuidanceScale = guidance }), $"{count} steps, guidance {guidance}"));
Sheet("settings.png", "steps and guidance", quick ? 2 : 4);

// 5. Image to image: the share of the steps that is run decides how much is left of the start.
using var start = Draw(request);
foreach (var strength in new[] { 0.3, 0.6, 0.9 })
    cells.Add(new(Draw(request with { Start = new StartImage(start, strength) }), $"strength {strength}"));
Sheet("image-to-image.png", "image to image", 3);

// 6. The latent space: from one seed to another on the sphere, on which noise lives.
using var from = pipeline.NoiseOf(1, request);
using var to = pipeline.NoiseOf(2, request);
for (var i = 0; i <= (quick ? 2 : 6); i++)
{
    var share = i / (quick ? 2.0 : 6.0);
    using var between = LatentPaths.Between(from, to, share);
    cells.Add(new(pipeline.DrawFrom(between, new PromptBatch([prompt]), request), $"{share:0.00}"));
}
Sheet("interpolation.png", "between two seeds", 7);

// 7. Every part can be replaced: another scheduler for good, and a run that is called off.
pipeline.Scheduler = SchedulerNames.Find("DPM++ 2M Karras", pipeline.Scheduler);
using var soon = new CancellationTokenSource();
try
{
    _ = pipeline.Generate(prompt, request, step => soon.Cancel(), cancellationToken: soon.Token).Count();
}
catch (OperationCanceledException)
{
    Console.WriteLine("called off after one step, as asked");
}
Console.WriteLine($"pictures in {output}; bruma info {Path.Combine(output, "picture.png")} shows how the first was made");

Tensor Draw(ImageRequest what) => pipeline.Generate(prompt, what).Single().ToTensor();

void Sheet(string name, string title, int columns)
{
    using var sheet = LabelledSheet.Compose($"\"{prompt}\": {title}", cells, columns);
    PngFile.Write(Path.Combine(output, name), sheet);
    foreach (var cell in cells)
        cell.Pixels.Dispose();
    cells.Clear();
}

string FindModel()
{
    for (var folder = new DirectoryInfo(Directory.GetCurrentDirectory()); folder is not null; folder = folder.Parent)
        foreach (var place in new[] { Path.Combine("models", "emoji"), Path.Combine("tests", "goldens", "pipelines", "tiny-sd") })
            if (!(quick && place.StartsWith("models", StringComparison.Ordinal)) && File.Exists(Path.Combine(folder.FullName, place, "model_index.json")))
                return Path.Combine(folder.FullName, place);
    return InstalledModels.All().FirstOrDefault(known => StableDiffusionPipeline.Knows(new ModelSources(known.Folder).ClassName))?.Folder ?? throw new InvalidOperationException("name a model with --model");
}

string Option(string name, string missing) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : missing;
