using System.CommandLine;
using Bruma.Data;
using Bruma.Gans;
using Bruma.Recipes;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma latent</c>: what lies between the pictures of a GAN.</summary>
internal static class LatentCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A finished run of bruma train gan, or its model folder." };
        var output = new Option<string>("--output", "-o") { Description = "Folder for the sheets.", DefaultValueFactory = _ => "latent" };
        var data = new Option<string?>("--data") { Description = "What it was trained on: adds the nearest training pictures." };
        var seed = new Option<long>("--seed") { Description = "Seed of the noise." };
        var command = new Command("latent", "Walk through a GAN's latent space: interpolation, truncation, classes, nearest training pictures. Example: bruma latent runs/gan --data fashion-mnist --output tour") { model, output, data, seed };
        command.SetAction((parsed, _) => Task.Run(() =>
        {
            using var pipeline = GanPipeline.Load(ModelPath.Find(parsed.GetValue(model)));
            using var training = parsed.GetValue(data) is { } name ? TrainingImages.Load(ImageSource.Open(name), pipeline.Generator.Config.Resolution) : null;
            foreach (var (file, text) in new LatentTour(pipeline, parsed.GetValue(seed)).Write(parsed.GetValue(output)!, training))
                Console.WriteLine($"{Path.Combine(parsed.GetValue(output)!, file)}: {text}");
            return 0;
        }));
        return command;
    }
}
