using System.Numerics.Tensors;

namespace Bruma.Training;

/// <summary>Rows of features, most of which may be zero.</summary>
/// <param name="Width">D.</param>
/// <param name="Rows">Places and values of what is not zero.</param>
public sealed record FeatureRows(int Width, IReadOnlyList<(int[] Places, float[] Values)> Rows)
{
    public int Count => Rows.Count;

    /// <summary>Rows in which every feature counts.</summary>
    public static FeatureRows Dense(IReadOnlyList<float[]> rows)
    {
        int[] all = [.. Enumerable.Range(0, rows.Count == 0 ? 0 : rows[0].Length)];
        return new FeatureRows(all.Length, [.. rows.Select(row => (all, row))]);
    }
}

/// <summary>Multinomial logistic regression, fitted to its optimum: the classic judge of features.</summary>
/// <remarks>The objective of scikit-learn: C times the summed cross-entropy plus half the squared weights; the intercept is free.</remarks>
public sealed class LogisticRegression
{
    private const int Iterations = 1000;
    private const double Tolerance = 1e-4; // of the largest gradient, per row

    private readonly double[] _parameters; // for each feature the K weights, then the K intercepts
    private readonly int _classes;

    private LogisticRegression(double[] parameters, int classes) => (_parameters, _classes) = (parameters, classes);

    /// <param name="labels">Classes of the rows, 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="weights">How much each row counts; null for all alike.</param>
    /// <param name="c">Inverse strength of regularisation.</param>
    public static LogisticRegression Fit(FeatureRows features, IReadOnlyList<int> labels, int classes, IReadOnlyList<double>? weights = null, double c = 1)
    {
        var model = new LogisticRegression(new double[(features.Width + 1) * classes], classes);
        var optimizer = new LimitedBfgs(Objective, Tolerance * c);
        optimizer.Minimize(model._parameters, Iterations);
        return model;

        double Objective(double[] parameters, double[] gradient)
        {
            var free = features.Width * classes;
            var loss = 0.5 * TensorPrimitives.SumOfSquares<double>(parameters.AsSpan(0, free));
            parameters.AsSpan(0, free).CopyTo(gradient);
            gradient.AsSpan(free).Clear();
            var scores = new double[classes];
            for (var row = 0; row < features.Count; row++)
            {
                var weight = c * (weights?[row] ?? 1);
                Scores(parameters, features.Rows[row], features.Width, scores);
                TensorPrimitives.SoftMax<double>(scores, scores);
                loss -= weight * Math.Log(Math.Max(scores[labels[row]], 1e-300));
                scores[labels[row]] -= 1;
                TensorPrimitives.Multiply(scores, weight, scores);
                AddGradient(gradient, features.Rows[row], features.Width, scores);
            }
            return loss;
        }
    }

    /// <summary>The weight of each feature for each class, and the intercepts.</summary>
    /// <returns>Weights [K, D] and intercepts [K].</returns>
    public (float[,] Weights, float[] Intercepts) Parameters()
    {
        var width = _parameters.Length / _classes - 1;
        var weights = new float[_classes, width];
        for (var k = 0; k < _classes; k++)
            for (var i = 0; i < width; i++)
                weights[k, i] = (float)_parameters[i * _classes + k];
        return (weights, [.. _parameters[(width * _classes)..].Select(value => (float)value)]);
    }

    /// <summary>Probabilities of the classes, row by row.</summary>
    public IReadOnlyList<double[]> Predict(FeatureRows features)
    {
        var predictions = new List<double[]>(features.Count);
        foreach (var row in features.Rows)
        {
            var scores = new double[_classes];
            Scores(_parameters, row, features.Width, scores);
            TensorPrimitives.SoftMax<double>(scores, scores);
            predictions.Add(scores);
        }
        return predictions;
    }

    private static void Scores(double[] parameters, (int[] Places, float[] Values) row, int width, double[] scores)
    {
        var classes = scores.Length;
        parameters.AsSpan(width * classes, classes).CopyTo(scores);
        for (var i = 0; i < row.Places.Length; i++)
        {
            var (at, value) = (row.Places[i] * classes, row.Values[i]);
            for (var k = 0; k < classes; k++)
                scores[k] += value * parameters[at + k];
        }
    }

    private static void AddGradient(double[] gradient, (int[] Places, float[] Values) row, int width, double[] errors)
    {
        var classes = errors.Length;
        for (var i = 0; i < row.Places.Length; i++)
        {
            var (at, value) = (row.Places[i] * classes, row.Values[i]);
            for (var k = 0; k < classes; k++)
                gradient[at + k] += value * errors[k];
        }
        for (var k = 0; k < classes; k++)
            gradient[width * classes + k] += errors[k];
    }
}
