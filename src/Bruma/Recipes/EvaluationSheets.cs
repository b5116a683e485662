using Bruma.Data;
using Bruma.Imaging;
using Bruma.Metrics;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Sheets of a report: drawn at random, the best, the worst, and samples beside the reference picture that each most resembles.</summary>
internal static class EvaluationSheets
{
    private const int Shown = 32;
    private const int Columns = 8;
    private const int Pairs = 16;
    private const int LargestCell = 128;
    private const int Near = 5;

    /// <returns>Files, relative to the folder, and what they show.</returns>
    public static IReadOnlyList<(string File, string Caption)> Write(string folder, EvaluationPictures pictures)
    {
        using var scope = NewDisposeScope();
        using var nearest = Memorisation.NearestForCopies(pictures.Fake.Features, pictures.Real.Features);
        var near = (int)Math.Min(Near, nearest.Distances.shape[1]);
        var byDistance = Order(nearest.Distances.narrow(1, 0, near).mean([1L]));
        var cell = CellOf(pictures);
        var sheets = new List<(string, string)>
        {
            Sheet("samples.png", "Samples: the first, uncurated.", [.. Enumerable.Range(0, Math.Min(Shown, pictures.Fake.Count))]),
            Sheet("best.png", "Best: those nearest to their five neighbours in the reference.", [.. byDistance.Take(Shown)]),
            Sheet("worst.png", "Worst: those farthest from the reference.", [.. byDistance.AsEnumerable().Reverse().Take(Shown)]),
        };
        if (nearest.Distances.shape[1] > 1)
            sheets.Add(Suspects(folder, pictures, nearest, cell));
        return sheets;

        (string, string) Sheet(string file, string caption, int[] rows)
        {
            using var part = NewDisposeScope();
            PngFile.Write(Path.Combine(folder, file), ContactSheet.Compose([.. rows.Select(row => Cell(pictures.Samples, pictures.Fake.Indices[row], cell))], Columns));
            return (file, caption);
        }
    }

    /// <summary>The sheets of a run's own report: every sample as it came, the worst and the most suspicious beside their nearest reference pictures.</summary>
    public static IReadOnlyList<(string File, string Caption)> WriteOfRun(string folder, EvaluationPictures pictures)
    {
        using var scope = NewDisposeScope();
        using var nearest = Memorisation.NearestForCopies(pictures.Fake.Features, pictures.Real.Features);
        var cell = CellOf(pictures);
        PngFile.Write(Path.Combine(folder, "samples.png"), ContactSheet.Compose([.. pictures.Fake.Indices.Select(index => Cell(pictures.Samples, index, cell))], Columns));
        var near = (int)Math.Min(Near, nearest.Distances.shape[1]);
        var farthest = Order(nearest.Distances.narrow(1, 0, near).mean([1L])).Reverse().ToArray();
        return
        [
            ("samples.png", $"Samples: All {pictures.Fake.Count}, as they came."),
            PairSheet(folder, ("worst.png", "Worst: The samples farthest from the photos (left), each beside the photo that it most resembles (right)."), pictures, (nearest, farthest), cell),
            Suspects(folder, pictures, nearest, cell),
        ];
    }

    private static (string, string) Suspects(string folder, EvaluationPictures pictures, NearestResult nearest, int cell)
    {
        using var scope = NewDisposeScope();
        var ratio = Memorisation.CopyRatio(nearest);
        return PairSheet(folder, ("nearest.png", FormattableString.Invariant($"Nearest pairs: each sample (left) beside the reference picture (right) that it most resembles, the most suspicious first. Below a ratio of {Memorisation.CopyThreshold:0.00} a sample counts as a copy; the smallest here is {ratio.min().item<double>():0.00}.")), pictures, (nearest, Order(ratio)), cell);
    }

    private static (string, string) PairSheet(string folder, (string File, string Caption) sheet, EvaluationPictures pictures, (NearestResult Nearest, int[] Rows) order, int cell)
    {
        using var scope = NewDisposeScope();
        var cells = order.Rows.Take(Pairs).SelectMany(row => new[]
        {
            Cell(pictures.Samples, pictures.Fake.Indices[row], cell),
            Cell(pictures.Reference, pictures.Real.Indices[(int)order.Nearest.Indices[row, 0].item<long>()], cell),
        });
        PngFile.Write(Path.Combine(folder, sheet.File), ContactSheet.Compose([.. cells], Columns));
        return sheet;
    }

    private static int[] Order(Tensor values)
    {
        using var scope = NewDisposeScope();
        return [.. values.argsort(0).data<long>().Select(i => (int)i)];
    }

    /// <summary>Small pictures keep their pixels, photos shrink.</summary>
    private static int CellOf(EvaluationPictures pictures)
    {
        using var scope = NewDisposeScope();
        var first = pictures.Samples.Load(pictures.Fake.Indices[0]);
        return (int)Math.Min(LargestCell, Math.Min(first.shape[1], first.shape[2]));
    }

    private static Tensor Cell(ImageSource source, int index, int size)
    {
        using var scope = NewDisposeScope();
        return CentralSquare.Of(source.Load(index), size, ResampleFilter.Bicubic).expand(3, -1, -1).clone().MoveToOuterDisposeScope();
    }
}
