using Bruma.Imaging;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>The same prompts from the same noise at every look, so that the sheets show what was learned.</summary>
/// <param name="control">A network that is trained to steer the base, for which the sheets show what it sees beside what is drawn after it; null for none.</param>
internal sealed class Previews(BaseModel model, AdaptationOptions options, AdaptationData data, ControlNetModel? control)
{
    private const int Pictures = 4;
    private const int FrameMilliseconds = 500;

    /// <summary>Draws <c>samples/step-NNNNNNN.png</c>.</summary>
    public void Write(string folder, long step)
    {
        using var scope = NewDisposeScope();
        var drawing = new Drawing(model, options.Resolution, control);
        var (prompts, shown) = (options.SamplePrompts ?? data.Subjects, data.Shown(Pictures));
        var drawn = new List<string>();
        var pictures = Enumerable.Range(0, Pictures).SelectMany(i =>
        {
            var (picture, caption) = shown.Count > 0 ? shown[i % shown.Count] : (null, prompts[i % prompts.Count]);
            drawn.Add(options.SamplePrompts is null ? caption : prompts[i % prompts.Count]);
            var sample = drawing.Draw(drawn[i], options.Seed + i, picture is null ? null : ControlPictures.Values(picture));
            return picture is null ? new[] { sample } : [picture.expand(3, -1, -1), sample];
        }).ToList();
        PngFile.Write(Path.Combine(folder, "samples", $"step-{step:D7}.png"), ContactSheet.Compose(pictures, pictures.Count), new Dictionary<string, string> { ["prompts"] = string.Join("\n", drawn) });
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
