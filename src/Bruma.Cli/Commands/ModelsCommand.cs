using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma models</c>: what is installed, and what is in a file.</summary>
internal static class ModelsCommand
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create() => new("models", "List the installed models, fetch some, check them, look into a file of weights, convert, bake adapters in. Example: bruma models list") { List(), Inspect(), ModelsConvert.Create(), ModelsHub.Pull(), ModelsHub.Verify(), ModelsAdapters.Bake(), ModelsAdapters.Extract() };

    private static Command List()
    {
        var command = new Command("list", "The models beside the program and in BRUMA_MODELS. Example: bruma models list");
        command.SetAction(_ =>
        {
            var models = InstalledModels.All();
            foreach (var model in models)
                Console.WriteLine($"{model.Name.PadRight(models.Max(other => other.Name.Length))}  {model.Description}".TrimEnd());
            if (models.Count == 0)
                Console.WriteLine($"no models in {string.Join(", ", InstalledModels.Roots)}; set BRUMA_MODELS to the folder that holds yours");
        });
        return command;
    }

    private static Command Inspect()
    {
        var path = new Argument<string>("path") { Description = "A file of weights (safetensors, .bin, .ckpt, .pt, *.index.json) or a model's folder." };
        var json = new Option<bool>("--json") { Description = "One JSON object per file." };
        var command = new Command("inspect", "Names, types and shapes of the tensors, without loading them; of Stable Diffusion checkpoints the family and the networks too. Example: bruma models inspect model.safetensors") { path, json };
        command.SetAction(parsed =>
        {
            foreach (var file in Files(parsed.GetRequiredValue(path)))
            {
                using var source = CheckpointFile.Open(file);
                var report = ModelFamilyReport.Of(file);
                if (parsed.GetValue(json))
                {
                    WriteJson(source, report);
                    continue;
                }
                WriteText(source);
                report?.Write();
            }
        });
        return command;
    }

    /// <summary>The file itself, the folder's weights, or those of the components in its subfolders.</summary>
    private static List<string> Files(string path)
    {
        if (!Directory.Exists(path))
            return [path];
        var components = Directory.GetDirectories(path).Order(StringComparer.Ordinal).Where(ModelFolder.HasWeights).ToList();
        return ModelFolder.HasWeights(path) || components.Count == 0 ? [ModelFolder.FindWeights(path)] : [.. components.Select(component => ModelFolder.FindWeights(component))];
    }

    private static void WriteText(ITensorSource source)
    {
        Console.WriteLine(source.Origin);
        foreach (var (key, value) in source.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Console.WriteLine($"  {Printable(key)} = {Printable(value)}");
        foreach (var (name, info) in source.Tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal))
            Console.WriteLine($"  {info.DType,-7} {$"[{string.Join(", ", info.Shape)}]",-20} {Printable(name)}");
        var types = source.Tensors.Values.GroupBy(info => info.DType).OrderByDescending(group => group.Sum(info => info.Count)).Select(group => $"{group.Key} {Number(group.Sum(info => info.Count))}");
        Console.WriteLine($"{Number(source.Tensors.Count)} tensors, {Number(Parameters(source))} parameters ({string.Join(", ", types)})");
    }

    private static void WriteJson(ITensorSource source, ModelFamilyReport? report) => Console.WriteLine(JsonSerializer.Serialize(
        new
        {
            file = source.Origin,
            metadata = source.Metadata,
            tensors = source.Tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).Select(tensor => new { name = tensor.Key, dtype = tensor.Value.DType, shape = tensor.Value.Shape }),
            parameters = Parameters(source),
            family = report?.Family,
            prediction = report?.Prediction,
            components = report?.Components.Select(part => new { name = part.Name, parameters = part.Parameters, tensors = part.Tensors, types = part.Types }),
        },
        Readable));

    private static long Parameters(ITensorSource source) => source.Tensors.Values.Sum(info => info.Count);

    private static string Number(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>Names come from files of others: control characters must not reach the terminal.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c));
}
