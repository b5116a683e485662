using System.Globalization;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Draws a set of samples into a folder, one PNG each; what a stopped run has drawn is kept.</summary>
internal static class DrawnSamples
{
    private const int BatchSize = 32;
    private const string Note = "drawn.json";

    /// <param name="folder">Where the pictures go.</param>
    /// <param name="model">The model's folder, and what it draws with; null settings are its own.</param>
    /// <param name="prompts">One for every picture, or null.</param>
    public static (ImageSource Source, string Settings) Draw(string folder, (string Folder, DrawSettings? Settings) model, int count, long seed, IReadOnlyList<string>? prompts, Action<int> done, CancellationToken cancellationToken)
    {
        using var sampler = SampleModels.Open(model.Folder, count, model.Settings);
        if (prompts is not null && !sampler.TakesPrompts)
            throw new BrumaException($"{model.Folder}: takes no prompts; leave --prompts out.");
        if (prompts is null && sampler.TakesPrompts)
            throw new BrumaException($"{model.Folder}: draws what a text says; give the texts, one a line, as --prompts FILE.");
        Fill(folder, $"{SampleModels.HashOf(model.Folder)} {seed.ToString(CultureInfo.InvariantCulture)} {count} {sampler.Settings}\n{(prompts is null ? "" : string.Join('\n', prompts))}", (count, BatchSize),
            batch => sampler.Draw(batch.First, batch.Count, seed, prompts is null ? null : [.. prompts.Skip(batch.First).Take(batch.Count)]), done, cancellationToken);
        return (new ImageFolder(folder), sampler.Settings);
    }

    /// <summary>Draws what is not there yet, batch by batch.</summary>
    /// <param name="origin">All that decides the pictures: those of another origin are drawn anew.</param>
    /// <param name="draw">A batch: uint8 [count, C, H, W].</param>
    public static void Fill(string folder, string origin, (int Count, int Batch) sizes, Func<(int First, int Count), Tensor> draw, Action<int> done, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        Claim(folder, origin);
        for (var first = 0; first < sizes.Count; first += sizes.Batch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(sizes.Batch, sizes.Count - first);
            if (!File.Exists(PathOf(folder, first + count - 1)))
            {
                using var scope = NewDisposeScope();
                var pictures = draw((first, count));
                for (var i = 0; i < count; i++)
                    PngFile.Write(PathOf(folder, first + i), pictures[i]);
            }
            done(first + count);
        }
    }

    /// <summary>Where picture number i is.</summary>
    public static string PathOf(string folder, int index) => Path.Combine(folder, $"{index:D6}.png");

    /// <summary>Pictures of another model, seed or count do not count as drawn.</summary>
    private static void Claim(string folder, string origin)
    {
        var note = Path.Combine(folder, Note);
        var text = System.Text.Json.JsonSerializer.Serialize(new { origin }) + "\n";
        if (File.Exists(note) && File.ReadAllText(note) == text)
            return;
        foreach (var old in Directory.EnumerateFiles(folder, "??????.png"))
            File.Delete(old);
        AtomicFile.WriteText(note, text);
    }
}
