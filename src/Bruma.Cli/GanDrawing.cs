using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bruma.Gans;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Cli;

/// <summary>What <c>bruma generate</c> draws with a GAN.</summary>
/// <param name="Class">Name or index; null draws the classes in turn.</param>
internal sealed record GanDrawing(string Model, string? Class, int Count, long Seed, double? Truncation, string Output, bool Json)
{
    public int Run(CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var pipeline = GanPipeline.Load(Model);
        var classes = pipeline.Generator.Config.Classes;
        var label = ClassNames.Resolve(Class, pipeline.Defaults, classes == 0 ? null : classes);
        var pictures = ImageTensor.ToBytes(pipeline.Generate(new GanRequest(Count, Seed, label, Truncation), cancellation)); // uint8 [N, C, H, W]
        var files = Write(pictures);
        Console.WriteLine(Json
            ? JsonSerializer.Serialize(new { files, seed = Seed, count = Count, @class = label, truncation = Truncation })
            : FormattableString.Invariant($"{string.Join(", ", files.Take(4))}{(files.Count > 4 ? $" and {files.Count - 4} more" : "")}: {Count} {(Count == 1 ? "picture" : "pictures")}, seed {Seed}"));
        return 0;
    }

    private List<string> Write(Tensor pictures)
    {
        if (!Regex.IsMatch(Output, "%0?[0-9]*d"))
        {
            PngFile.Write(Output, Count == 1 ? pictures[0].clone() : ContactSheet.Compose([.. pictures.unbind()]), Text(0));
            return [Output];
        }
        var files = Enumerable.Range(1, Count).Select(number => Regex.Replace(Output, "%0?([0-9]*)d", match => number.ToString($"D{(match.Groups[1].Length == 0 ? "1" : match.Groups[1].Value)}", CultureInfo.InvariantCulture))).ToList();
        for (var i = 0; i < Count; i++)
            PngFile.Write(files[i], pictures[i].clone(), Text(i));
        return files;
    }

    private Dictionary<string, string> Text(int index) => new()
    {
        ["parameters"] = FormattableString.Invariant($"{Class ?? ""}\nSampler: GAN, Seed: {Seed + index}, Model: {Path.GetFileName(Model.TrimEnd('/'))}, RNG: CPU, Version: Bruma {typeof(GanPipeline).Assembly.GetName().Version?.ToString(3)}"),
    };
}
