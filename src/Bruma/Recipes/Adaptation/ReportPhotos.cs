using System.Security.Cryptography;
using System.Text;
using Bruma.Data;
using Bruma.Metrics;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Pictures of a source as reports measure them: the square that is trained on, at one small size.</summary>
/// <param name="wide">The largest square around a known head.</param>
internal sealed class SquaredSource(ImageSource whole, int side, bool wide = false) : ImageSource
{
    public override string Name => whole.Name;

    public override string Layout => whole.Layout;

    public override IReadOnlyList<ImageExample> Examples => whole.Examples;

    public override IReadOnlyList<string> ClassNames => whole.ClassNames;

    public override int Channels => 3;

    public override Tensor Load(int index)
    {
        using var scope = NewDisposeScope();
        var picture = whole.Load(index);
        if (picture.shape[0] == 3 && picture.shape[1] == side && picture.shape[2] == side)
            return picture.MoveToOuterDisposeScope();
        return PictureSquare.Cut(picture, whole.Examples[index], side, wide).MoveToOuterDisposeScope();
    }

    public override string Sha256()
    {
        var boxes = string.Join('\n', whole.Examples.Select(example => example.Columns?.GetValueOrDefault("head_box")));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{whole.Sha256()} {(wide ? "wide " : "")}squares of {side}\n{boxes}")));
    }
}

/// <summary>The photos of a run in their parts, with features.</summary>
/// <param name="Source">All of them, as they are.</param>
/// <param name="Squares">The same, cut.</param>
/// <param name="Reference">Rows of those that are not kept for the test.</param>
/// <param name="Test">Rows of those that were never trained on; empty where there are too few.</param>
internal sealed record ReportPhotos(ImageSource Source, ImageSource Squares, FeatureSet Features, IReadOnlyList<int> Reference, IReadOnlyList<int> Test) : IDisposable
{
    public static ReportPhotos Load((ImageSource Source, AdaptationOptions Options) run, FeatureExtraction extraction, int side, Action<int> done, CancellationToken cancellation)
    {
        var (source, options) = run;
        var squares = new SquaredSource(source, side);
        var features = extraction.RunAll(squares, done, cancellation);
        var share = AdaptationData.Share(options, features.Count);
        var test = HashedParts.Places([.. features.Indices.Select(index => source.Examples[index].Name)], share, DataPart.Test);
        if (test.Count == features.Count)
            test = []; // then the run trained on all
        return new ReportPhotos(source, squares, features, [.. Enumerable.Range(0, features.Count).Except(test)], test);
    }

    /// <returns>[n, D], in the caller's scope.</returns>
    public Tensor Rows(IReadOnlyList<int> rows) => Features.Features.index_select(0, tensor(rows.Select(row => (long)row).ToArray()));

    /// <summary>The reference alone, its pictures still counted as in the source.</summary>
    public FeatureSet ReferenceSet() => new(Rows(Reference), null, [.. Reference.Select(row => Features.Indices[row])], []);

    public ImageExample Example(int row) => Source.Examples[Features.Indices[row]];

    /// <summary>The square of a photo at any size, uint8 [3, side, side].</summary>
    public Tensor Square(int row, int side)
    {
        using var scope = NewDisposeScope();
        return new SquaredSource(Source, side).Load(Features.Indices[row]).MoveToOuterDisposeScope();
    }

    public void Dispose() => Features.Dispose();
}
