using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Makes latents of zero mean and unit variance by changing the two 1x1 convolutions beside them: pipelines then need no scaling, and the network computes the same pictures.</summary>
/// <remarks>The distributions become points. Channels that the autoencoder hardly uses have means of small variance and noise of about 1: scaled up, the noise of what is drawn from them
/// would drown what a denoiser of the means has learned, in every script that trains on draws.</remarks>
public static class LatentNormalisation
{
    /// <summary>Mean and standard deviation of every channel of the encoder's means, [C] each.</summary>
    /// <param name="batches">Pictures, [B, 3, H, W]; disposed here.</param>
    public static (Tensor Mean, Tensor Deviation) Measure(AutoencoderKl network, IEnumerable<Tensor> batches)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (count, sum, squares) = (0L, zeros(network.Config.LatentChannels, float64), zeros(network.Config.LatentChannels, float64));
        foreach (var pictures in batches)
        {
            using var own = NewDisposeScope();
            using var given = pictures;
            var means = network.Encode(pictures).Mean.to(float64);
            sum.add_(means.sum([0L, 2L, 3L]));
            squares.add_(means.square().sum([0L, 2L, 3L]));
            count += means.numel() / means.shape[1];
        }
        var mean = sum / count;
        return (mean.to(float32).MoveToOuterDisposeScope(), (squares / count - mean.square()).clamp_min(1e-12).sqrt().to(float32).MoveToOuterDisposeScope());
    }

    /// <summary>Weights whose latents are (z - mean) / deviation, all with the least variance there is.</summary>
    /// <param name="weights">By checkpoint key; those of <c>quant_conv</c> and <c>post_quant_conv</c> are replaced, the others passed on.</param>
    public static Dictionary<string, Tensor> Fold(IEnumerable<KeyValuePair<string, Tensor>> weights, Tensor mean, Tensor deviation)
    {
        var folded = weights.ToDictionary(StringComparer.Ordinal);
        using var scope = NewDisposeScope();
        var (quantWeight, quantBias) = (folded["quant_conv.weight"], folded["quant_conv.bias"]); // rows: means, then log variances
        var (postWeight, postBias) = (folded["post_quant_conv.weight"], folded["post_quant_conv.bias"]);
        var channels = mean.shape[0];
        var rows = deviation.reshape(-1, 1, 1, 1);
        folded["quant_conv.weight"] = cat([quantWeight.narrow(0, 0, channels) / rows, zeros_like(quantWeight.narrow(0, channels, channels))]).MoveToOuterDisposeScope();
        folded["quant_conv.bias"] = cat([(quantBias.narrow(0, 0, channels) - mean) / deviation, full_like(mean, LatentDistribution.LeastLogVariance)]).MoveToOuterDisposeScope();
        folded["post_quant_conv.weight"] = (postWeight * deviation.reshape(1, -1, 1, 1)).MoveToOuterDisposeScope();
        folded["post_quant_conv.bias"] = (postBias + postWeight.squeeze(-1).squeeze(-1).matmul(mean)).MoveToOuterDisposeScope();
        return folded;
    }
}
