using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>A normal distribution over latents with independent elements, as an encoder gives it.</summary>
/// <param name="Mean">[B, 4, H/8, W/8]; also the most likely latents.</param>
/// <param name="LogVariance">The same shape, in [-30, 20].</param>
public readonly record struct LatentDistribution(Tensor Mean, Tensor LogVariance) : IDisposable
{
    /// <summary>The variance of a point, as far as there is one.</summary>
    internal const double LeastLogVariance = -30;

    /// <summary>Draws latents with PyTorch's numbers for the generator's seed.</summary>
    public Tensor Sample(Generator generator)
    {
        using var scope = NewDisposeScope();
        return Sample(SeededNormal.Draw(Mean.shape, generator, Mean.dtype).to(Mean.device)).MoveToOuterDisposeScope();
    }

    /// <summary>The latents that standard normal noise of the same shape stands for: mean + σ noise. Gradients flow to mean and σ.</summary>
    public Tensor Sample(Tensor noise)
    {
        using var scope = NewDisposeScope();
        return (Mean + (0.5 * LogVariance).exp() * noise).MoveToOuterDisposeScope();
    }

    /// <summary>The Kullback-Leibler divergence from the standard normal distribution, per example.</summary>
    /// <remarks>Kingma and Welling 2014, arXiv:1312.6114, appendix B.</remarks>
    /// <returns>[B], in nats.</returns>
    public Tensor KullbackLeibler()
    {
        using var scope = NewDisposeScope();
        return (0.5 * (Mean.square() + LogVariance.exp() - 1 - LogVariance).flatten(1).sum(1)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Mean.Dispose();
        LogVariance.Dispose();
    }
}
