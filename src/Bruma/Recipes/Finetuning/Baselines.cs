using Bruma.Data;
using Bruma.Training;
using Bruma.Transformers.Embeddings;

namespace Bruma.Recipes.Finetuning;

/// <summary>What a pretrained network must beat to be worth it.</summary>
internal static class Baselines
{
    /// <param name="staticModel">Folder of static vectors; null leaves them out.</param>
    /// <returns>Each with its scores on the test examples and the parameters that were fitted.</returns>
    public static IEnumerable<(string Name, ClassificationScores Scores, long Trained)> Of(ClassificationTask task, string? staticModel)
    {
        yield return ("majority", Majority(task), 0);
        if (task is TextClassificationTask)
        {
            yield return WithTfIdf(task);
            if (staticModel is not null)
                yield return WithStaticVectors(task, staticModel);
        }
        else
            yield return ("1 nearest neighbour, cosine", Nearest(task), 0);
    }

    private static ClassificationScores Majority(ClassificationTask task)
    {
        var most = Labels(task, Split.Train).CountBy(label => label).MaxBy(pair => pair.Value).Key;
        return Scores(task, [.. task.Data.Of(Split.Test).Select(_ => OneHot(task, most))]);
    }

    private static (string, ClassificationScores, long) WithTfIdf(ClassificationTask task)
    {
        var train = Texts(task, Split.Train);
        var words = TfIdf.Fit(train);
        return ("TF-IDF + logistic regression", Fit(task, new FeatureRows(words.Width, [.. train.Select(words.Of)]), new FeatureRows(words.Width, [.. Texts(task, Split.Test).Select(words.Of)])), (words.Width + 1L) * task.Data.Classes.Count);
    }

    private static (string, ClassificationScores, long) WithStaticVectors(ClassificationTask task, string folder)
    {
        using var embedder = StaticEmbeddings.Load(folder);
        FeatureRows Rows(Split split)
        {
            using var vectors = embedder.Embed(Texts(task, split));
            return FeatureRows.Dense(vectors.Rows());
        }
        return ($"{embedder.Name} mean + logistic regression", Fit(task, Rows(Split.Train), Rows(Split.Test)), (embedder.Width + 1L) * task.Data.Classes.Count);
    }

    private static ClassificationScores Nearest(ClassificationTask task)
    {
        var (train, test, labels) = (Units(task, Split.Train), Units(task, Split.Test), Labels(task, Split.Train));
        return Scores(task, [.. test.Select(vector => OneHot(task, labels[train.Select((other, i) => (Cosine: System.Numerics.Tensors.TensorPrimitives.Dot<float>(vector, other), i)).MaxBy(pair => pair.Cosine).i]))]);
    }

    private static ClassificationScores Fit(ClassificationTask task, FeatureRows train, FeatureRows test) =>
        Scores(task, LogisticRegression.FitBest(train, Labels(task, Split.Train), task.Data.Classes.Count).Model.Predict(test));

    private static List<float[]> Units(ClassificationTask task, Split split) => [.. task.Vectors(split).Rows().Select(WordVectors.Unit)];

    private static ClassificationScores Scores(ClassificationTask task, IReadOnlyList<double[]> probabilities) => new(task.Data.Classes, Labels(task, Split.Test), probabilities);

    private static List<int> Labels(ClassificationTask task, Split split) => [.. task.Data.Of(split).Select(example => task.Data.Labels[example])];

    private static List<string> Texts(ClassificationTask task, Split split) => [.. task.Data.Of(split).Select(task.Show)];

    private static double[] OneHot(ClassificationTask task, int label) => [.. Enumerable.Range(0, task.Data.Classes.Count).Select(k => k == label ? 1.0 : 0.0)];
}
