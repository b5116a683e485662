using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>Mean over subsets, their deviation (divided by n), and the values, of which percentiles make an interval.</summary>
public sealed record KernelResult(double Mean, double Deviation, IReadOnlyCollection<double> Values);

/// <summary>Kernel distances between sets: unbiased with the polynomial kernel (KID), biased with the Gaussian one (CMMD). All in float64, since the means cancel.</summary>
public static class KernelDistance
{
    private const int LargestKernel = 4000; // rows whose kernel matrix (128 MB) is kept instead of computed anew for each subset
    private const double CmmdSigma = 10;
    private const double CmmdScale = 1000;

    /// <summary>Unbiased squared MMD of all vectors, kernel (x·y / D + 1)³. Not multiplied by anything; may be slightly negative.</summary>
    /// <remarks>Bińkowski et al. 2018, arXiv:1801.01401.</remarks>
    public static double Polynomial(Tensor a, Tensor b)
    {
        FeatureMatrix.RequirePair(a, b, 2);
        using var scope = NewDisposeScope();
        var (x, y) = (a.to(float64), b.to(float64));
        return Unbiased(Kernel(x, x), Kernel(y, y), Kernel(x, y));
    }

    /// <summary>The same for given rows of each set, subset by subset.</summary>
    /// <param name="rowsA">int64 [S, n].</param>
    /// <param name="rowsB">int64 [S, n].</param>
    public static KernelResult Polynomial(Tensor a, Tensor b, Tensor rowsA, Tensor rowsB)
    {
        FeatureMatrix.RequirePair(a, b, 2);
        using var scope = NewDisposeScope();
        var (x, y) = (a.to(float64), b.to(float64));
        var whole = Math.Max(a.shape[0], b.shape[0]) <= LargestKernel ? new[] { Kernel(x, x), Kernel(y, y), Kernel(x, y) } : null;
        var values = Enumerable.Range(0, (int)rowsA.shape[0]).Select(i => Subset(x, y, whole, rowsA[i], rowsB[i])).ToArray();
        var mean = values.Average();
        return new KernelResult(mean, Math.Sqrt(values.Average(value => (value - mean) * (value - mean))), values);
    }

    /// <summary>The same for subsets drawn without replacement: KID as papers report it.</summary>
    /// <param name="size">Vectors of a subset; fewer where a set is smaller.</param>
    public static KernelResult Polynomial(Tensor a, Tensor b, int subsets, int size, Generator generator)
    {
        using var scope = NewDisposeScope();
        size = (int)Math.Min(size, Math.Min(a.shape[0], b.shape[0]));
        var (rowsA, rowsB) = (Rows(a), Rows(b));
        return Polynomial(a, b, rowsA, rowsB);

        Tensor Rows(Tensor set) => stack([.. Enumerable.Range(0, subsets).Select(_ => FeatureMatrix.Indices((int)set.shape[0], size, generator))]);
    }

    /// <summary>Biased squared MMD, kernel exp(-d² / 2σ²); means include the diagonal.</summary>
    public static double Gaussian(Tensor a, Tensor b, double sigma)
    {
        FeatureMatrix.RequirePair(a, b);
        return Mean(a, a) + Mean(b, b) - 2 * Mean(a, b);

        double Mean(Tensor x, Tensor y)
        {
            var sum = 0.0;
            FeatureMatrix.Distances(x, y, (_, distances) => sum += (distances.pow(2) / (-2 * sigma * sigma)).exp().sum().item<double>());
            return sum / ((double)x.shape[0] * y.shape[0]);
        }
    }

    /// <summary>1000 times <see cref="Gaussian"/> with σ = 10 on unit vectors: CMMD where the vectors are CLIP's.</summary>
    /// <remarks>Jayasumana et al. 2024, arXiv:2401.09603.</remarks>
    public static double Cmmd(Tensor a, Tensor b)
    {
        FeatureMatrix.RequirePair(a, b);
        using var scope = NewDisposeScope();
        return CmmdScale * Gaussian(FeatureMatrix.Unit(a), FeatureMatrix.Unit(b), CmmdSigma);
    }

    private static double Subset(Tensor x, Tensor y, Tensor[]? whole, Tensor rowsX, Tensor rowsY)
    {
        using var scope = NewDisposeScope();
        if (whole is null)
        {
            var (u, v) = (x.index_select(0, rowsX), y.index_select(0, rowsY));
            return Unbiased(Kernel(u, u), Kernel(v, v), Kernel(u, v));
        }
        return Unbiased(Part(whole[0], rowsX, rowsX), Part(whole[1], rowsY, rowsY), Part(whole[2], rowsX, rowsY));

        static Tensor Part(Tensor kernel, Tensor rows, Tensor columns) => kernel.index_select(0, rows).index_select(1, columns);
    }

    private static Tensor Kernel(Tensor x, Tensor y) => x.matmul(y.t()).div_(x.shape[1]).add_(1).pow_(3);

    private static double Unbiased(Tensor xx, Tensor yy, Tensor xy)
    {
        using var scope = NewDisposeScope();
        return WithoutDiagonal(xx) + WithoutDiagonal(yy) - 2 * xy.mean().item<double>();

        static double WithoutDiagonal(Tensor kernel) => (kernel.sum() - kernel.diagonal().sum()).item<double>() / (kernel.shape[0] * (kernel.shape[0] - 1.0));
    }
}
