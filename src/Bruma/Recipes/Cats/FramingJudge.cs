using Bruma.Data;
using Bruma.Recipes.Adaptation;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary>Says how near a picture shows its animal: a linear model of the head's share of the square's side, fitted to close and wide squares of the photos outside the test part whose head has a box.</summary>
internal sealed class FramingJudge
{
    /// <summary>From here on it is a close-up: between the shares that the two words stand for.</summary>
    public const double Close = (CatPhotos.SmallHead + 1 / PictureSquare.HeadMargin) / 2;

    private const int Fewest = 10;

    private readonly RidgeRegression _model;

    private FramingJudge(RidgeRegression model) => _model = model;

    /// <summary>Mean error of the share on squares of test photos, and that of always saying the mean; null without any.</summary>
    public (double Own, double Mean)? Error { get; private init; }

    /// <summary>Share of these squares that it puts on the right side of <see cref="Close"/>.</summary>
    public double? Accuracy { get; private init; }

    /// <param name="see">Features of pictures, [N, D].</param>
    /// <returns>Null where too few photos have a box, or none has words for it.</returns>
    public static FramingJudge? Of(ReportPhotos photos, Func<ImageSource, Tensor> see)
    {
        if (photos.Source.Examples.All(example => Captions.Wide(example) is null))
            return null;
        using var scope = NewDisposeScope();
        var (fit, test) = (Squares(photos, photos.Reference, see), Squares(photos, photos.Test, see));
        if (fit.Shares.Count < Fewest)
            return null;
        var model = RidgeRegression.Fit(fit.Features!, fit.Shares);
        if (test.Shares.Count == 0)
            return new FramingJudge(model);
        var (said, mean) = (model.Predict(test.Features!), fit.Shares.Average());
        return new FramingJudge(model)
        {
            Error = (said.Zip(test.Shares, (one, other) => Math.Abs(one - other)).Average(), test.Shares.Average(share => Math.Abs(share - mean))),
            Accuracy = said.Zip(test.Shares, (one, other) => one >= Close == other >= Close ? 1.0 : 0).Average(),
        };
    }

    /// <returns>The head's share of each picture's side.</returns>
    public double[] Shares(Tensor features) => _model.Predict(features);

    private static (Tensor? Features, List<double> Shares) Squares(ReportPhotos photos, IReadOnlyList<int> rows, Func<ImageSource, Tensor> see)
    {
        var (known, close, wide) = (new List<int>(), new List<double>(), new List<double>());
        foreach (var row in rows)
        {
            using var picture = photos.Source.Load(photos.Features.Indices[row]);
            var (height, width) = ((int)picture.shape[1], (int)picture.shape[2]);
            if (PictureSquare.HeadShare(height, width, photos.Example(row)) is not { } near)
                continue;
            known.Add(row);
            close.Add(near);
            wide.Add(PictureSquare.HeadShare(height, width, photos.Example(row), wide: true)!.Value);
        }
        if (known.Count == 0)
            return (null, []);
        var further = new SquaredSource(new ImageSubset(photos.Source, [.. known.Select(row => photos.Features.Indices[row])], "from further away"), ControlMeasures.Side, wide: true);
        return (cat([photos.Rows(known), see(further)]), [.. close, .. wide]);
    }
}
