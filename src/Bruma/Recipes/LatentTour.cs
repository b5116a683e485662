using Bruma.Data;
using Bruma.Gans;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>A walk through what a generator has learned: between noises, closer to the middle, class by class, and next to its training pictures.</summary>
public sealed class LatentTour(GanPipeline pipeline, long seed)
{
    private const int Stations = 6;
    private const int FramesBetween = 10;
    private const int Pictures = 10;
    private const int MillisecondsPerFrame = 80;
    private const int BlockSize = 5000;

    private static readonly double?[] Truncations = [0.3, 0.6, 1, 1.5, null];

    /// <summary>Writes <c>interpolation.png</c> and <c>.webp</c>, <c>truncation.png</c>, with classes <c>classes.png</c>, and with training pictures <c>nearest.png</c>.</summary>
    /// <param name="training">What it was trained on; null leaves the neighbours out.</param>
    /// <returns>Files and what they show.</returns>
    public IReadOnlyList<(string File, string Text)> Write(string folder, TrainingImages? training = null)
    {
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        var files = new List<(string, string)>();
        var walk = Walk();
        Sheet("interpolation.png", walk, FramesBetween, $"Each row goes from one noise to the next along a great circle, {FramesBetween} pictures a row.");
        AnimatedWebp.Write(Path.Combine(folder, "interpolation.webp"), walk, MillisecondsPerFrame);
        files.Add(("interpolation.webp", "The same as an animation."));
        Sheet("truncation.png", [.. Truncations.SelectMany(limit => Bytes(pipeline.Generate(new GanRequest(Pictures, seed, Class: null, limit))))], Pictures,
            $"Rows: noise within {string.Join(", ", Truncations.Select(limit => limit is null ? "no limit" : FormattableString.Invariant($"{limit} standard deviations")))}. The tighter, the more typical and the less varied.");
        if (pipeline.Generator.Config.Classes is > 0 and var classes)
            Sheet("classes.png", ClassGrid(classes), classes, $"Columns: {(pipeline.Defaults.Classes is { } names ? string.Join(", ", names) : $"classes 0 to {classes - 1}")}. Each row is one noise.");
        if (training is not null)
            Sheet("nearest.png", BesideNearest(training), Pictures, "Above samples, below each the training picture nearest to it in pixels. A model that copies shows the same picture twice.");
        return files;

        void Sheet(string name, IReadOnlyList<Tensor> pictures, int columns, string text)
        {
            PngFile.Write(Path.Combine(folder, name), ContactSheet.Compose(pictures, columns));
            files.Add((name, text));
        }
    }

    /// <summary>Between two noises at equal angles: the length stays typical, which it does not on a straight line.</summary>
    /// <param name="a">[Z].</param>
    /// <param name="b">[Z].</param>
    /// <param name="t">0 to 1.</param>
    public static Tensor Spherical(Tensor a, Tensor b, double t)
    {
        using var scope = NewDisposeScope();
        var cosine = (a * b).sum().item<float>() / Math.Max(1e-12, (a.norm() * b.norm()).item<float>());
        var angle = Math.Acos(Math.Clamp(cosine, -1, 1));
        if (Math.Sin(angle) < 1e-6)
            return (a * (1 - t) + b * t).MoveToOuterDisposeScope();
        return ((a * Math.Sin((1 - t) * angle) + b * Math.Sin(t * angle)) / Math.Sin(angle)).MoveToOuterDisposeScope();
    }

    /// <summary>From noise to noise and back to the first.</summary>
    private List<Tensor> Walk()
    {
        var noises = pipeline.Latents(new GanRequest(Stations, seed));
        var path = Enumerable.Range(0, Stations * FramesBetween).Select(i => Spherical(noises[i / FramesBetween], noises[(i / FramesBetween + 1) % Stations], i % FramesBetween / (double)FramesBetween)).ToList();
        return Decode(stack(path), pipeline.Generator.Config.Classes == 0 ? null : zeros(path.Count, int64));
    }

    private List<Tensor> ClassGrid(int classes)
    {
        var noises = pipeline.Latents(new GanRequest(Stations, seed));
        return Decode(noises.repeat_interleave(classes, 0), arange(classes).repeat(Stations));
    }

    private List<Tensor> BesideNearest(TrainingImages training)
    {
        var samples = ImageTensor.ToBytes(pipeline.Generate(new GanRequest(Pictures, seed)));
        var nearest = Nearest(samples, training.Pixels);
        return [.. samples.unbind(), .. nearest.Select(index => training.Pixels[index])];
    }

    private static long[] Nearest(Tensor samples, Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var x = samples.to(float32).flatten(1);
        var (best, index) = (full([x.shape[0]], double.PositiveInfinity, float32), zeros(x.shape[0], int64));
        for (var at = 0L; at < pixels.shape[0]; at += BlockSize)
        {
            using var block = NewDisposeScope();
            var distances = cdist(x, pixels.narrow(0, at, Math.Min(BlockSize, pixels.shape[0] - at)).to(float32).flatten(1));
            var (values, places) = distances.min(1);
            var nearer = values < best;
            best.copy_(where(nearer, values, best));
            index.copy_(where(nearer, places + at, index));
        }
        return index.data<long>().ToArray();
    }

    private List<Tensor> Decode(Tensor latents, Tensor? classes) => Bytes(pipeline.Decode(latents, classes));

    private static List<Tensor> Bytes(Tensor pictures) => [.. ImageTensor.ToBytes(pictures).unbind()];
}
