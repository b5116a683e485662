using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Noise sources.</summary>
public static class NormalNoise
{
    /// <summary>Draws fp32 from a generator on its device; the same seed gives the same run.</summary>
    public static NoiseSource From(Generator generator) => shape => randn(shape, dtype: ScalarType.Float32, device: generator.device, generator: generator);

    /// <summary>For algorithms that draw nothing: a draw is an error.</summary>
    public static NoiseSource None { get; } = _ => throw new InvalidOperationException("this scheduler draws noise: pass a source of it");
}
