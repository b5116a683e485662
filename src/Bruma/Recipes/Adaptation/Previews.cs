using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>The same prompts from the same noise at every look, so that the sheets show what was learned.</summary>
internal sealed class Previews(BaseModel model, AdaptationOptions options, IReadOnlyList<string> prompts)
{
    private const int Pictures = 4;
    private const int FrameMilliseconds = 500;

    /// <summary>Draws <c>samples/step-NNNNNNN.png</c>.</summary>
    public void Write(string folder, long step)
    {
        using var scope = NewDisposeScope();
        var drawing = new Drawing(model, options.Resolution);
        var pictures = Enumerable.Range(0, Pictures).Select(i => drawing.Draw(prompts[i % prompts.Count], options.Seed + i)).ToList();
        PngFile.Write(Path.Combine(folder, "samples", $"step-{step:D7}.png"), ContactSheet.Compose(pictures, Pictures), new Dictionary<string, string> { ["prompts"] = string.Join("\n", prompts.Take(Pictures)) });
    }

    /// <summary>Joins the sheets of a run to one, the first look at the top, and to an animation.</summary>
    /// <returns>The files written; none without sheets.</returns>
    public static IReadOnlyList<string> Join(string folder)
    {
        using var scope = NewDisposeScope();
        var sheets = Directory.EnumerateFiles(Path.Combine(folder, "samples"), "step-*.png").Order(StringComparer.Ordinal).Select(ImageFile.Load).ToList();
        if (sheets.Count == 0 || sheets.Exists(sheet => !sheet.shape.SequenceEqual(sheets[0].shape)))
            return [];
        var (learned, animation) = (Path.Combine(folder, "learned.png"), Path.Combine(folder, "learned.webp"));
        PngFile.Write(learned, cat(sheets, 1));
        AnimatedWebp.Write(animation, sheets, FrameMilliseconds);
        return [learned, animation];
    }
}
