namespace Bruma.Diffusion.Schedulers;

/// <summary>Interpolation through the values at uneven nodes.</summary>
internal static class LagrangePolynomials
{
    /// <summary>The weight of each node's value in a linear functional of the interpolating polynomial.</summary>
    /// <param name="nodes">Where the values are known, all different.</param>
    /// <param name="moments">The functional of 1, x, x² and so on, as many as nodes.</param>
    public static double[] Weights(ReadOnlySpan<double> nodes, ReadOnlySpan<double> moments)
    {
        var weights = new double[nodes.Length];
        for (var k = 0; k < nodes.Length; k++)
        {
            var coefficients = Basis(nodes, k);
            for (var i = 0; i < coefficients.Length; i++)
                weights[k] += coefficients[i] * moments[i];
        }
        return weights;
    }

    // the polynomial that is 1 at node k and 0 at the others, the constant coefficient first
    private static double[] Basis(ReadOnlySpan<double> nodes, int k)
    {
        var coefficients = new double[nodes.Length];
        coefficients[0] = 1;
        for (var other = 0; other < nodes.Length; other++)
        {
            if (other == k)
                continue;
            var apart = nodes[k] - nodes[other];
            for (var i = nodes.Length - 1; i >= 0; i--)
                coefficients[i] = ((i > 0 ? coefficients[i - 1] : 0) - nodes[other] * coefficients[i]) / apart;
        }
        return coefficients;
    }
}
