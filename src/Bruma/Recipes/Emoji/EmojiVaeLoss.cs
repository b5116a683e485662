using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>How far a reconstruction is from its picture: values, edges and the colour of areas; no network judges.</summary>
public static class EmojiVaeLoss
{
    private const int Area = 4;

    /// <summary>L1 + 0.5 L1 of the gradients + 0.5 MSE + 0.5 L1 of means over 4x4 pixels.</summary>
    /// <param name="output">[B, 3, H, W].</param>
    /// <param name="pictures">[B, 3, H, W] in [-1, 1].</param>
    /// <returns>0-D.</returns>
    public static Tensor Reconstruction(Tensor output, Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var error = output.to(float32) - pictures;
        var areas = nn.functional.avg_pool2d(error, Area);
        return (error.abs().mean() + 0.5 * Edges(error) + 0.5 * error.square().mean() + 0.5 * areas.abs().mean()).MoveToOuterDisposeScope();
    }

    /// <summary>Mean absolute difference of neighbours, beside each other and below each other: what is blurred has less.</summary>
    /// <param name="pictures">[B, C, H, W].</param>
    /// <returns>0-D.</returns>
    public static Tensor Edges(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var across = pictures.narrow(3, 1, pictures.shape[3] - 1) - pictures.narrow(3, 0, pictures.shape[3] - 1);
        var down = pictures.narrow(2, 1, pictures.shape[2] - 1) - pictures.narrow(2, 0, pictures.shape[2] - 1);
        return (across.abs().mean() + down.abs().mean()).MoveToOuterDisposeScope();
    }

    /// <summary>Reconstruction from a sampled latent plus the weighted divergence, summed over a picture's latents.</summary>
    /// <param name="further">The whole loss, of output and that loss; null adds nothing to it.</param>
    public static Tensor Of(AutoencoderKl network, Tensor pictures, double klWeight, Generator random, Func<Tensor, Tensor, Tensor>? further = null)
    {
        using var scope = NewDisposeScope();
        var (mean, logVariance) = network.Encode(pictures);
        (mean, logVariance) = (mean.to(float32), logVariance.to(float32));
        var latents = mean + (0.5 * logVariance).exp() * randn(mean.shape, generator: random);
        var divergence = 0.5 * (mean.square() + logVariance.exp() - 1 - logVariance).sum([1L, 2L, 3L]).mean();
        var output = network.Decode(latents);
        var loss = Reconstruction(output, pictures) + klWeight * divergence;
        return (further is null ? loss : further(output, loss)).MoveToOuterDisposeScope();
    }
}
