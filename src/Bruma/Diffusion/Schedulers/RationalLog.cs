namespace Bruma.Diffusion.Schedulers;

/// <summary>The natural logarithm of float32 as NumPy computes it, to the last bit.</summary>
/// <remarks>
/// The reference keeps its noise levels' logarithms in this precision and cuts the timesteps that it finds between them to whole numbers.
/// At both ends of a schedule they are whole but for rounding: with another rounding of the logarithm the network would be asked at 998 in place of 999.
/// </remarks>
internal static class RationalLog
{
    // ln(1 + x) = P(x) / Q(x) for 1 + x from √½ to √2; the highest power first
    private static readonly float[] P = [2.589979117907922693523e-02f, 3.808837741388407920751e-01f, 1.480000633576506585156e+00f, 2.112677543073053063722e+00f, 9.999999999999998702752e-01f, 0];
    private static readonly float[] Q = [5.875095403124574342950e-03f, 1.546476374983906719538e-01f, 9.864942958519418960339e-01f, 2.453006071784736363091e+00f, 2.612677543073109236779e+00f, 1];

    /// <param name="value">Above 0, not subnormal.</param>
    public static float Of(float value)
    {
        var exponent = MathF.ILogB(value);
        var mantissa = MathF.ScaleB(value, -exponent); // 1 to 2
        if (mantissa >= MathF.Sqrt(2))
            (mantissa, exponent) = (mantissa / 2, exponent + 1);
        return MathF.FusedMultiplyAdd(exponent, MathF.Log(2), Polynomial(P, mantissa - 1) / Polynomial(Q, mantissa - 1));
    }

    private static float Polynomial(float[] coefficients, float x) => coefficients.Aggregate((sum, coefficient) => MathF.FusedMultiplyAdd(sum, x, coefficient));
}
