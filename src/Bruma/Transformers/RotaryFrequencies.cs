using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>How fast each pair of a head turns with the position.</summary>
/// <remarks>Su et al. 2021, arXiv:2104.09864.</remarks>
public sealed class RotaryFrequencies
{
    private readonly float[] _frequencies; // radians a position, d / 2

    private RotaryFrequencies(float[] frequencies) => _frequencies = frequencies;

    /// <param name="headWidth">d, even.</param>
    /// <param name="theta">Base of the geometric row of frequencies.</param>
    /// <param name="scaling">Null for none.</param>
    public static RotaryFrequencies Create(int headWidth, double theta = 10000, RopeScaling? scaling = null)
    {
        if (headWidth <= 0 || headWidth % 2 != 0)
            throw new BrumaException($"Rotary positions turn pairs, but a head is {headWidth} wide; choose an even width of a head.");
        var plain = Enumerable.Range(0, headWidth / 2).Select(i => 1 / MathF.Pow((float)theta, 2f * i / headWidth));
        return new RotaryFrequencies([.. plain.Select(frequency => scaling?.Kind switch
        {
            "linear" => (float)(frequency / scaling.Factor),
            "llama3" => (float)Llama3(frequency, scaling),
            _ => frequency,
        })]);
    }

    /// <summary>The turns at these positions.</summary>
    /// <param name="positions">[B or 1, T].</param>
    public Rotation At(Tensor positions, ScalarType dtype = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        var angles = positions.to(float32).unsqueeze(-1) * tensor(_frequencies, device: positions.device); // [B, T, d / 2]
        var both = cat([angles, angles], -1).unsqueeze(1); // [B, 1, T, d]
        return new Rotation(both.cos().to(dtype).MoveToOuterDisposeScope(), both.sin().to(dtype).MoveToOuterDisposeScope());
    }

    /// <summary>Slow turns become slower still by the factor, fast ones stay, those between are mixed.</summary>
    private static double Llama3(double frequency, RopeScaling scaling)
    {
        var turns = scaling.OriginalMaxPositionEmbeddings * frequency / (2 * Math.PI); // within the original length
        var kept = Math.Clamp((turns - scaling.LowFreqFactor) / (scaling.HighFreqFactor - scaling.LowFreqFactor), 0, 1);
        return (1 - kept) * frequency / scaling.Factor + kept * frequency;
    }
}
