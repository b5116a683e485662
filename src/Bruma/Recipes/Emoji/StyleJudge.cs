using Bruma.Data.Emoji;
using Bruma.Training;
using Bruma.Transformers.Embeddings;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Tells styles of drawing apart in the features of a network that takes no part in training: multinomial logistic regression on concepts that nobody else sees.</summary>
internal sealed class StyleJudge
{
    private readonly LogisticRegression _model;

    private StyleJudge(LogisticRegression model) => _model = model;

    /// <param name="styles">Features of pictures of each style, [N, D]; the style's place is its class.</param>
    public static StyleJudge Fit(IReadOnlyList<Tensor> styles)
    {
        using var scope = NewDisposeScope();
        var labels = styles.SelectMany((features, style) => Enumerable.Repeat(style, (int)features.shape[0])).ToList();
        var order = Enumerable.Range(0, labels.Count).OrderBy(row => EmojiSplits.FirstByte("judge", "row", row.ToString(System.Globalization.CultureInfo.InvariantCulture))).ToList(); // its folds are every third row
        var rows = FeatureRows.Dense(cat([.. styles]).Rows());
        return new StyleJudge(LogisticRegression.FitBest(rows.At(order), [.. order.Select(row => labels[row])], styles.Count).Model);
    }

    /// <summary>Share of pictures that it takes for a style.</summary>
    /// <param name="features">[N, D].</param>
    public double Share(Tensor features, int style) =>
        _model.Predict(FeatureRows.Dense(features.Rows())).Average(probabilities => probabilities.AsSpan().IndexOf(probabilities.Max()) == style ? 1.0 : 0);
}
