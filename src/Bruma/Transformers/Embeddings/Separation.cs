using System.Numerics.Tensors;

namespace Bruma.Transformers.Embeddings;

/// <summary>How well groups of vectors are apart, by cosine.</summary>
/// <param name="Within">Mean cosine of two of one group.</param>
/// <param name="Between">Mean cosine of two of different groups.</param>
/// <param name="Silhouette">-1 to 1: how much nearer each is to its own group than to the next (Rousseeuw 1987), by 1 - cosine.</param>
/// <param name="NearestIsOfGroup">Share of vectors whose nearest other one is of their group.</param>
public sealed record Separation(double Within, double Between, double Silhouette, double NearestIsOfGroup)
{
    private const double Alike = 1e-6; // equal vectors are nobody's nearest

    /// <param name="groups">Of each vector.</param>
    public static Separation Of(IReadOnlyList<float[]> vectors, IReadOnlyList<string> groups)
    {
        var units = vectors.Select(WordVectors.Unit).ToList();
        var n = units.Count;
        var cosines = new double[n, n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
                cosines[i, j] = TensorPrimitives.Dot<float>(units[i], units[j]);
        var pairs = Enumerable.Range(0, n).SelectMany(i => Enumerable.Range(0, n).Where(j => j != i).Select(j => (i, j))).ToList();
        var (within, between) = (Mean(pairs.Where(pair => groups[pair.i] == groups[pair.j])), Mean(pairs.Where(pair => groups[pair.i] != groups[pair.j])));
        return new Separation(within, between, Enumerable.Range(0, n).Average(Width), Enumerable.Range(0, n).Average(Hit));

        double Mean(IEnumerable<(int i, int j)> of) => of.Select(pair => cosines[pair.i, pair.j]).DefaultIfEmpty(double.NaN).Average();

        double Width(int i)
        {
            var own = Enumerable.Range(0, n).Where(j => j != i && groups[j] == groups[i]).Select(j => 1 - cosines[i, j]).ToList();
            if (own.Count == 0)
                return 0;
            var a = own.Average();
            var b = Enumerable.Range(0, n).Where(j => groups[j] != groups[i]).GroupBy(j => groups[j]).Min(group => group.Average(j => 1 - cosines[i, j]));
            return Math.Max(a, b) < Alike ? 0 : (b - a) / Math.Max(a, b);
        }

        double Hit(int i)
        {
            var best = Enumerable.Range(0, n).Where(j => j != i).Max(j => cosines[i, j]);
            var nearest = Enumerable.Range(0, n).Where(j => j != i && cosines[i, j] > best - Alike).ToList();
            return nearest.Count(j => groups[j] == groups[i]) / (double)nearest.Count; // ties share
        }
    }
}

/// <summary>The two directions along which vectors differ most.</summary>
public static class PrincipalComponents
{
    /// <returns>A point per vector, and the share of the variance that each axis holds.</returns>
    public static (IReadOnlyList<(double X, double Y)> Points, double First, double Second) Of(IReadOnlyList<float[]> vectors)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var matrix = TorchSharp.torch.stack([.. vectors.Select(vector => TorchSharp.torch.tensor(vector))]).to(TorchSharp.torch.float64);
        var centred = matrix - matrix.mean([0L], keepdim: true);
        var (u, s, _) = TorchSharp.torch.linalg.svd(centred, fullMatrices: false);
        var variances = s.square();
        var total = Math.Max(variances.sum().item<double>(), 1e-300);
        var points = (u * s).narrow(1, 0, 2).contiguous().data<double>().ToArray();
        return ([.. points.Chunk(2).Select(pair => (pair[0], pair[1]))], variances[0].item<double>() / total, variances[1].item<double>() / total);
    }
}
