using System.Security.Cryptography;
using Bruma.Hub;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Encoded pictures on disk, each under the sum of its pixels and of the autoencoder: a changed picture invalidates only itself.</summary>
/// <param name="autoencoderSum">SHA-256 of the autoencoder's weights.</param>
public sealed class LatentCache(AutoencoderKl autoencoder, string autoencoderSum)
{
    private const string Latents = "latents";

    /// <summary>Pictures that were encoded rather than found.</summary>
    public int Encoded { get; private set; }

    /// <param name="pixels">uint8 [3, S, S].</param>
    /// <returns>Mean and standard deviation of the latents, unscaled, fp32 [2, 4, S/8, S/8].</returns>
    public Tensor Get(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var path = Path.Combine(UserCache.Root, "latents", autoencoderSum[..16], $"{Sum(pixels)}.safetensors");
        if (StoredTensors.Find(path)?.GetValueOrDefault(Latents) is { } known)
            return known.MoveToOuterDisposeScope();
        var distribution = autoencoder.Encode(pixels.to(float32).unsqueeze(0) / 127.5f - 1);
        var values = cat([distribution.Mean, (0.5 * distribution.LogVariance).exp()]).to(float32);
        SafetensorsFile.Write(path, [new(Latents, values)]);
        Encoded++;
        return values.MoveToOuterDisposeScope();
    }

    private static unsafe string Sum(Tensor pixels)
    {
        using var contiguous = pixels.contiguous();
        return Convert.ToHexStringLower(SHA256.HashData(new ReadOnlySpan<byte>((void*)TensorMemory.Address(contiguous), (int)contiguous.numel())));
    }
}
