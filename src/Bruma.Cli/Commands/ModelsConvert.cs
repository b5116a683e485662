using System.CommandLine;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma models convert</c>: between single files and diffusers folders, and between types of weights.</summary>
internal static class ModelsConvert
{
    private const string Extension = ".safetensors";

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A checkpoint in one file, a diffusers folder, a finished run or the name of an installed model." };
        var output = new Option<string>("--output", "-o") { Description = "A name that ends in .safetensors for one file in the original layout (Stable Diffusion only), else a diffusers folder; must be new or empty.", Required = true };
        var type = new Option<string?>("--type") { Description = "Type of the weights: fp32, fp16 or bf16. Without it they stay as they are, bit for bit." };
        var variant = new Option<string?>("--variant") { Description = "Variant of a folder's weights, such as fp16." };
        var prediction = new Option<string?>("--prediction") { Description = "What a single file's U-Net predicts, epsilon or v: the weights of SD 2.x do not tell, so v is taken." };
        var configs = new Option<string?>("--configs") { Description = "Folder with unet/config.json, vae/config.json and so on, for a single file whose networks are not of its family's sizes." };
        var command = new Command("convert", "Write a model in another layout or with its weights in another type. Example: bruma models convert v1-5.safetensors --output v1-5/")
        {
            model, output, type, variant, prediction, configs,
        };
        command.SetAction(parsed =>
        {
            var target = parsed.GetRequiredValue(output);
            var wish = new Wish(parsed.GetRequiredValue(model), target, Type(parsed.GetValue(type)), parsed.GetValue(variant), Prediction(parsed.GetValue(prediction)), parsed.GetValue(configs));
            NewOutput.Folder(NewOutput.File(target));
            Run(wish);
            Console.WriteLine(target);
        });
        return command;
    }

    private static void Run(Wish wish)
    {
        var toFile = wish.Output.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);
        if (SingleFile.Is(wish.Model))
        {
            using var file = SingleFile.Open(wish.Model, wish.Configs);
            if (toFile)
                SafetensorsFile.Copy(wish.Output, file.Stored, new Dictionary<string, string> { ["format"] = "pt" }, wish.Type);
            else
                CheckpointConversion.ToFolder(file, wish.Output, wish.Type, wish.Prediction);
            return;
        }
        var folder = Directory.Exists(Path.Combine(wish.Model, "unet")) ? wish.Model : ModelPath.Find(wish.Model);
        if (toFile)
            CheckpointConversion.ToSingleFile(folder, wish.Output, wish.Type, wish.Variant);
        else
            CheckpointConversion.Retype(folder, wish.Output, wish.Type, wish.Variant);
    }

    private static ScalarType? Type(string? name) => name switch
    {
        null => null,
        "fp32" => ScalarType.Float32,
        "fp16" => ScalarType.Float16,
        "bf16" => ScalarType.BFloat16,
        _ => throw new UsageException($"--type {name}: must be fp32, fp16 or bf16."),
    };

    private static PredictionType? Prediction(string? name) => name switch
    {
        null => null,
        "epsilon" or "eps" => PredictionType.Epsilon,
        "v" or "v_prediction" => PredictionType.VPrediction,
        _ => throw new UsageException($"--prediction {name}: must be epsilon or v."),
    };

    private sealed record Wish(string Model, string Output, ScalarType? Type, string? Variant, PredictionType? Prediction, string? Configs);
}
