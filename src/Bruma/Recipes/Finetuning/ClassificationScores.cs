namespace Bruma.Recipes.Finetuning;

/// <summary>What predictions are worth.</summary>
/// <param name="Classes">Names in order.</param>
/// <param name="Labels">True class of each row.</param>
/// <param name="Probabilities">Of each class, row by row.</param>
public sealed record ClassificationScores(IReadOnlyList<string> Classes, IReadOnlyList<int> Labels, IReadOnlyList<double[]> Probabilities)
{
    public IReadOnlyList<int> Predictions => field ??= [.. Probabilities.Select(row => Array.IndexOf(row, row.Max()))];

    public double Accuracy => Labels.Count == 0 ? double.NaN : Labels.Zip(Predictions).Count(pair => pair.First == pair.Second) / (double)Labels.Count;

    /// <summary>Mean cross-entropy.</summary>
    public double Loss => Labels.Count == 0 ? double.NaN : Labels.Select((label, i) => -Math.Log(Math.Max(Probabilities[i][label], 1e-12))).Average();

    /// <summary>The mean over classes of the harmonic mean of precision and recall; a class that is never right counts 0.</summary>
    public double MacroF1
    {
        get
        {
            var confusion = Confusion();
            return Enumerable.Range(0, Classes.Count).Average(k =>
            {
                var (right, truly, said) = (confusion[k, k], 0.0, 0.0);
                for (var j = 0; j < Classes.Count; j++)
                    (truly, said) = (truly + confusion[k, j], said + confusion[j, k]);
                return truly + said == 0 ? 0 : 2 * right / (truly + said);
            });
        }
    }

    /// <summary>How many of a class (row) were taken for another (column).</summary>
    public double[,] Confusion()
    {
        var counts = new double[Classes.Count, Classes.Count];
        for (var i = 0; i < Labels.Count; i++)
            counts[Labels[i], Predictions[i]]++;
        return counts;
    }

    /// <summary>The standard error of the accuracy over a test set of this size.</summary>
    public double StandardError => Math.Sqrt(Accuracy * (1 - Accuracy) / Math.Max(1, Labels.Count));

    /// <summary>Rows that are wrong, the most confident first.</summary>
    public IEnumerable<(int Row, double Confidence)> Mistakes() => Enumerable.Range(0, Labels.Count)
        .Where(i => Predictions[i] != Labels[i]).Select(i => (i, Probabilities[i][Predictions[i]])).OrderByDescending(pair => pair.Item2);
}
