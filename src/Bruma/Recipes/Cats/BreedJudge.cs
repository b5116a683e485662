using Bruma.Recipes.Adaptation;
using Bruma.Training;
using Bruma.Transformers.Embeddings;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary>Tells the classes of photos apart in the features of a network that takes no part in training: multinomial logistic regression on the photos outside the test part.</summary>
internal sealed class BreedJudge
{
    private readonly LogisticRegression _model;

    private BreedJudge(ReportPhotos photos, IReadOnlyList<string> classes)
    {
        Classes = classes;
        using var scope = NewDisposeScope();
        _model = LogisticRegression.FitBest(Rows(photos.Rows(photos.Reference)), [.. photos.Reference.Select(row => photos.Example(row).Class!.Value)], classes.Count).Model;
        Accuracy = photos.Test.Count == 0 ? null : Right(photos.Rows(photos.Test), i => photos.Example(photos.Test[i]).Class!.Value);
    }

    public IReadOnlyList<string> Classes { get; }

    /// <summary>Share of the test photos that it takes for what they are; null without test photos.</summary>
    public double? Accuracy { get; }

    /// <summary>Null where the photos have no classes.</summary>
    public static BreedJudge? Of(ReportPhotos photos) => photos.Source.ClassNames.Count < 2 ? null : new BreedJudge(photos, photos.Source.ClassNames);

    /// <summary>Share of pictures that it takes for what was asked for.</summary>
    /// <param name="features">[N, D].</param>
    /// <param name="asked">The class of picture i.</param>
    public double Right(Tensor features, Func<int, int> asked) =>
        _model.Predict(Rows(features)).Select((probabilities, i) => probabilities.AsSpan().IndexOf(probabilities.Max()) == asked(i) ? 1.0 : 0).Average();

    private static FeatureRows Rows(Tensor features) => FeatureRows.Dense(features.Rows());
}
