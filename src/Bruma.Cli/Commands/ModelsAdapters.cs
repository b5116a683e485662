using System.CommandLine;
using System.Globalization;
using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma models bake|extract</c>: an adapter into a model, and out of two models.</summary>
internal static class ModelsAdapters
{
    public static Command Bake()
    {
        var model = new Argument<string>("model") { Description = "The base: a diffusers folder, a single file, the name of an installed model, or hf:ORG/NAME." };
        var lora = new Option<string[]>("--lora") { Description = "RUN, file or folder, with :WEIGHT behind it where it is not 1.", Required = true };
        var output = new Option<string>("--output", "-o") { Description = "Folder to write; must be new or empty.", Required = true };
        var command = new Command("bake", "Write a model with adapters merged into its weights. Example: bruma models bake DIR --lora runs/style:0.8 --output models/style") { model, lora, output };
        command.SetAction(parsed =>
        {
            var folder = NewOutput.Folder(parsed.GetValue(output)!);
            AdapterFiles.Bake(FolderOf(parsed.GetRequiredValue(model)), [.. parsed.GetValue(lora)!.Select(Weighted)], folder);
            Console.WriteLine(folder);
        });
        return command;
    }

    public static Command Extract()
    {
        var changed = new Argument<string>("changed") { Description = "The trained model: a diffusers folder, a single file or the name of an installed model." };
        var original = new Option<string>("--base") { Description = "The model that it was trained from.", Required = true };
        var rank = new Option<int>("--rank") { Description = "Rank of the LoRA.", DefaultValueFactory = _ => 16 };
        var output = new Option<string>("--output", "-o") { Description = "File to write (.safetensors), which must be new; a kohya file comes beside it.", Required = true };
        var command = new Command("extract", "Write the LoRA that comes nearest to what training changed. Example: bruma models extract runs/full --base DIR --rank 16 --output full.safetensors") { changed, original, rank, output };
        command.SetAction(parsed =>
        {
            var file = NewOutput.File(parsed.GetValue(output)!);
            if (!file.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
                throw new UsageException($"--output {file}: must end in .safetensors.");
            foreach (var line in AdapterFiles.Extract(FolderOf(parsed.GetRequiredValue(changed)), FolderOf(parsed.GetValue(original)), parsed.GetValue(rank), file))
                Console.WriteLine(line);
        });
        return command;
    }

    private static string FolderOf(string? model) => UnpackedCheckpoint.FolderOf(ModelPath.FindBase(model));

    private static (string Path, double Weight) Weighted(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && double.TryParse(text[(colon + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var weight) ? (text[..colon], weight) : (text, 1);
    }
}
