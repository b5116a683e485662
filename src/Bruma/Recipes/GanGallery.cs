using Bruma.Gans;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>The same noise drawn again and again at growing intervals, and what that shows: how a generator learns.</summary>
public sealed class GanGallery(string folder, long seed)
{
    private const int Columns = 10; // with ten classes a column is a class
    private const int Rows = 6;
    private const int Moments = 12;
    private const double FirstStep = 10;
    private const double Growth = 1.4;
    private const int MillisecondsPerFrame = 300;

    private string Samples => Path.Combine(folder, "samples");

    /// <summary>Whether a sheet is drawn after this step: after 10, 14, 20, 27, ... steps.</summary>
    public static bool IsDue(long step) => step >= FirstStep && Math.Floor(Count(step)) > Math.Floor(Count(step - 1));

    /// <summary>Draws the sheet of a step into <c>samples/</c>.</summary>
    public void Draw(GanPipeline pipeline, long step)
    {
        using var scope = NewDisposeScope();
        var pictures = ImageTensor.ToBytes(pipeline.Generate(new GanRequest(Columns * Rows, seed))); // uint8 [N, C, H, W]
        PngFile.Write(Path.Combine(Samples, $"step-{step:D7}.png"), ContactSheet.Compose([.. pictures.unbind()], Columns));
    }

    /// <summary>Writes <c>learning.png</c>, one row of pictures per moment, and <c>learning.webp</c>, all sheets as an animation.</summary>
    /// <returns>The steps of the rows, from the top.</returns>
    public IReadOnlyList<long> Join()
    {
        using var scope = NewDisposeScope();
        var sheets = Directory.EnumerateFiles(Samples, "step-*.png").Order(StringComparer.Ordinal).Select(file => (Step: StepOf(file), Sheet: ImageFile.Load(file))).ToList();
        if (sheets.Count == 0)
            return [];
        var height = sheets[0].Sheet.shape[1] / Rows; // a row with the gap above it
        var shown = Enumerable.Range(0, Math.Min(Moments, sheets.Count)).Select(i => sheets[(int)Math.Round(i * (sheets.Count - 1.0) / Math.Max(1, Math.Min(Moments, sheets.Count) - 1))]).ToList();
        PngFile.Write(Path.Combine(folder, "learning.png"), cat([.. shown.Select(moment => moment.Sheet.narrow(1, 0, height))], 1));
        AnimatedWebp.Write(Path.Combine(folder, "learning.webp"), [.. sheets.Select(moment => moment.Sheet)], MillisecondsPerFrame);
        return [.. shown.Select(moment => moment.Step)];
    }

    private static long StepOf(string file) => long.Parse(Path.GetFileNameWithoutExtension(file)["step-".Length..], System.Globalization.CultureInfo.InvariantCulture);

    private static double Count(long step) => Math.Log(Math.Max(1, step) / FirstStep) / Math.Log(Growth);
}
