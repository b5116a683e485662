using System.Numerics.Tensors;

namespace Bruma.Transformers.Embeddings;

/// <summary>Vectors as points of a plane that keeps near ones near: t-SNE by cosine, exact, for hundreds of vectors.</summary>
/// <remarks>Van der Maaten and Hinton 2008, "Visualizing data using t-SNE". It starts from the two principal components, so nothing is drawn at random; distances between far groups mean nothing.</remarks>
public static class NeighbourMap
{
    private const int Steps = 750;
    private const int Exaggerated = 250;
    private const double Exaggeration = 12;
    private const int Halvings = 60;

    /// <param name="perplexity">How many neighbours count for each, roughly; fewer where there are few vectors.</param>
    /// <returns>A point per vector.</returns>
    public static IReadOnlyList<(double X, double Y)> Of(IReadOnlyList<float[]> vectors, double perplexity = 15)
    {
        var n = vectors.Count;
        if (n < 4)
            return PrincipalComponents.Of(vectors).Points;
        var near = Affinities(vectors, Math.Min(perplexity, (n - 1) / 3.0));
        var points = Start(vectors);
        var (moves, gains) = (new double[2 * n], new double[2 * n]);
        Array.Fill(gains, 1);
        var rate = Math.Max(n / Exaggeration / 4, 50);
        for (var step = 0; step < Steps; step++)
        {
            var gradient = Gradient(near, points, step < Exaggerated ? Exaggeration : 1);
            var momentum = step < Exaggerated ? 0.5 : 0.8;
            for (var i = 0; i < points.Length; i++)
            {
                gains[i] = Math.Max(0.01, gradient[i] * moves[i] < 0 ? gains[i] + 0.2 : gains[i] * 0.8);
                moves[i] = momentum * moves[i] - rate * gains[i] * gradient[i];
                points[i] += moves[i];
            }
        }
        return [.. points.Chunk(2).Select(pair => (pair[0], pair[1]))];
    }

    /// <summary>Probabilities that two are neighbours, symmetric and 1 in all, [N, N].</summary>
    public static double[,] Affinities(IReadOnlyList<float[]> vectors, double perplexity)
    {
        var n = vectors.Count;
        var units = vectors.Select(WordVectors.Unit).ToList();
        var near = new double[n, n];
        for (var i = 0; i < n; i++)
        {
            var row = Row([.. units.Select(other => 2.0 - 2 * TensorPrimitives.Dot<float>(units[i], other))], i, Math.Log(perplexity));
            for (var j = 0; j < n; j++)
            {
                near[i, j] += row[j] / (2 * n);
                near[j, i] += row[j] / (2 * n);
            }
        }
        return near;
    }

    /// <summary>The neighbours of one as probabilities, as wide as the entropy asks for.</summary>
    private static double[] Row(double[] distances, int self, double entropy)
    {
        var (low, high, beta) = (0.0, double.PositiveInfinity, 1.0);
        var row = new double[distances.Length];
        var least = distances.Where((_, j) => j != self).Min();
        for (var halving = 0; halving < Halvings; halving++)
        {
            for (var j = 0; j < row.Length; j++)
                row[j] = j == self ? 0 : Math.Exp(-beta * (distances[j] - least));
            var sum = row.Sum();
            for (var j = 0; j < row.Length; j++)
                row[j] /= sum;
            if (-row.Sum(p => p > 0 ? p * Math.Log(p) : 0) > entropy)
                (low, beta) = (beta, double.IsInfinity(high) ? beta * 2 : (beta + high) / 2);
            else
                (high, beta) = (beta, (beta + low) / 2);
        }
        return row;
    }

    private static double[] Gradient(double[,] near, double[] points, double exaggeration)
    {
        var n = points.Length / 2;
        var (weights, total) = (new double[n, n], 0.0);
        for (var i = 0; i < n; i++)
            for (var j = 0; j < i; j++)
            {
                var (x, y) = (points[2 * i] - points[2 * j], points[2 * i + 1] - points[2 * j + 1]);
                weights[i, j] = weights[j, i] = 1 / (1 + x * x + y * y);
                total += 2 * weights[i, j];
            }
        var gradient = new double[points.Length];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
            {
                var pull = 4 * (exaggeration * near[i, j] - weights[i, j] / total) * weights[i, j];
                gradient[2 * i] += pull * (points[2 * i] - points[2 * j]);
                gradient[2 * i + 1] += pull * (points[2 * i + 1] - points[2 * j + 1]);
            }
        return gradient;
    }

    /// <summary>The principal components, small: a ten-thousandth across.</summary>
    private static double[] Start(IReadOnlyList<float[]> vectors)
    {
        var points = PrincipalComponents.Of([.. vectors.Select(WordVectors.Unit)]).Points.SelectMany(point => new[] { point.X, point.Y }).ToArray();
        var deviation = Math.Sqrt(points.Where((_, i) => i % 2 == 0).Average(x => x * x));
        return [.. points.Select(value => value / Math.Max(deviation, 1e-12) * 1e-4)];
    }
}
