using System.Numerics.Tensors;

namespace Bruma.Training;

/// <summary>Rows of features, most of which may be zero.</summary>
/// <param name="Width">D.</param>
/// <param name="Rows">Values, with their places where most are zero; without places all D stand in order.</param>
public sealed record FeatureRows(int Width, IReadOnlyList<(int[]? Places, double[] Values)> Rows)
{
    public int Count => Rows.Count;

    /// <summary>Rows in which every feature counts.</summary>
    public static FeatureRows Dense(IReadOnlyList<float[]> rows) =>
        new(rows.Count == 0 ? 0 : rows[0].Length, [.. rows.Select(row => ((int[]?)null, Array.ConvertAll(row, value => (double)value)))]);

    /// <summary>Some of the rows.</summary>
    public FeatureRows At(IEnumerable<int> rows) => new(Width, [.. rows.Select(row => Rows[row])]);
}

/// <summary>Multinomial logistic regression, fitted to its optimum: the classic judge of features.</summary>
/// <remarks>The objective of scikit-learn: C times the summed cross-entropy plus half the squared weights; the intercept is free.</remarks>
public sealed class LogisticRegression
{
    private const int Iterations = 1000;
    private const double Tolerance = 1e-4; // of the largest gradient
    private const int Folds = 3;

    private static readonly double[] Strengths = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

    private readonly double[] _parameters; // class by class: D weights and the intercept
    private readonly int _classes;

    private LogisticRegression(double[] parameters, int classes) => (_parameters, _classes) = (parameters, classes);

    /// <param name="labels">Classes of the rows, 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="weights">How much each row counts; null for all alike.</param>
    /// <param name="c">Inverse strength of regularisation.</param>
    public static LogisticRegression Fit(FeatureRows features, IReadOnlyList<int> labels, int classes, IReadOnlyList<double>? weights = null, double c = 1)
    {
        var stride = features.Width + 1;
        var model = new LogisticRegression(new double[stride * classes], classes);
        var scores = new double[classes];
        new LimitedBfgs(Objective, Tolerance * Math.Max(1, c)).Minimize(model._parameters, Iterations);
        return model;

        double Objective(double[] parameters, double[] gradient)
        {
            var loss = 0.0;
            for (var k = 0; k < classes; k++)
            {
                var free = parameters.AsSpan(k * stride, features.Width);
                loss += 0.5 * TensorPrimitives.SumOfSquares<double>(free);
                free.CopyTo(gradient.AsSpan(k * stride));
                gradient[k * stride + features.Width] = 0;
            }
            for (var row = 0; row < features.Count; row++)
            {
                var weight = c * (weights?[row] ?? 1);
                Scores(parameters, features.Rows[row], features.Width, scores);
                TensorPrimitives.SoftMax<double>(scores, scores);
                loss -= weight * Math.Log(Math.Max(scores[labels[row]], 1e-300));
                scores[labels[row]] -= 1;
                for (var k = 0; k < classes; k++)
                    AddRow(gradient.AsSpan(k * stride, stride), features.Rows[row], weight * scores[k]);
            }
            return loss;
        }
    }

    /// <summary>Chooses C among powers of about 3 by the cross-entropy of three folds, then fits all rows.</summary>
    /// <param name="weights">How much each class counts; null for all alike.</param>
    public static (LogisticRegression Model, double C) FitBest(FeatureRows features, IReadOnlyList<int> labels, int classes, IReadOnlyList<double>? weights = null)
    {
        double[]? Of(IEnumerable<int> rows) => weights is null ? null : [.. rows.Select(row => weights[labels[row]])];
        var folds = Enumerable.Range(0, features.Count).GroupBy(row => row % Folds).Select(fold => fold.ToList()).ToList();
        var best = Strengths.MinBy(c => folds.Sum(fold =>
        {
            var rest = folds.Where(other => other != fold).SelectMany(other => other).ToList();
            var model = Fit(features.At(rest), [.. rest.Select(row => labels[row])], classes, Of(rest), c);
            return model.Predict(features.At(fold)).Zip(fold).Sum(pair => -Math.Log(Math.Max(pair.First[labels[pair.Second]], 1e-12)));
        }));
        return (Fit(features, labels, classes, Of(Enumerable.Range(0, features.Count)), best), best);
    }

    /// <summary>The weight of each feature for each class, and the intercepts.</summary>
    /// <returns>Weights [K, D] and intercepts [K].</returns>
    public (float[,] Weights, float[] Intercepts) Parameters()
    {
        var stride = _parameters.Length / _classes;
        var (weights, intercepts) = (new float[_classes, stride - 1], new float[_classes]);
        for (var k = 0; k < _classes; k++)
        {
            for (var i = 0; i < stride - 1; i++)
                weights[k, i] = (float)_parameters[k * stride + i];
            intercepts[k] = (float)_parameters[k * stride + stride - 1];
        }
        return (weights, intercepts);
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

    private static void Scores(double[] parameters, (int[]? Places, double[] Values) row, int width, double[] scores)
    {
        for (var k = 0; k < scores.Length; k++)
        {
            var weights = parameters.AsSpan(k * (width + 1), width + 1);
            var sum = weights[width];
            if (row.Places is null)
                sum += TensorPrimitives.Dot(weights[..width], row.Values);
            else
                for (var i = 0; i < row.Places.Length; i++)
                    sum += weights[row.Places[i]] * row.Values[i];
            scores[k] = sum;
        }
    }

    private static void AddRow(Span<double> gradient, (int[]? Places, double[] Values) row, double error)
    {
        var width = gradient.Length - 1;
        gradient[width] += error;
        if (row.Places is null)
            TensorPrimitives.MultiplyAdd(row.Values, error, gradient[..width], gradient[..width]);
        else
            for (var i = 0; i < row.Places.Length; i++)
                gradient[row.Places[i]] += error * row.Values[i];
    }
}
