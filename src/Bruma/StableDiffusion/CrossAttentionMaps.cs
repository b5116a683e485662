using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Where the network looked for each word: weights of its attention to the text, over all heads, layers and steps, while this object lives.</summary>
/// <remarks>Tang et al. 2022, arXiv:2210.04885 ("DAAM"): maps of all resolutions, enlarged and added.</remarks>
public sealed class CrossAttentionMaps : IDisposable
{
    private readonly List<Attention> _layers;
    private readonly (long Height, long Width) _latents;
    private Tensor? _sum;
    private long _count;

    /// <param name="latents">Height and width of the latents.</param>
    public CrossAttentionMaps(UNet2DConditionModel network, (long Height, long Width) latents)
    {
        _latents = latents;
        _layers = [.. network.named_modules().Where(part => part.name.EndsWith("attn2", StringComparison.Ordinal)).Select(part => part.module).OfType<Attention>()];
        foreach (var layer in _layers)
            layer.Watched = Add;
    }

    /// <summary>The mean attention to each token of the prompt's window, [S, h, w]; each place's values add up to 1.</summary>
    /// <exception cref="InvalidOperationException">Nothing was drawn yet.</exception>
    public Tensor Mean() => (_sum ?? throw new InvalidOperationException("draw something first")) / _count;

    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Watched = null;
        _sum?.Dispose();
    }

    /// <param name="weights">[B, N, T, S]; the prompt's pass comes last.</param>
    private void Add(Tensor weights)
    {
        using var scope = NewDisposeScope();
        var tokens = weights.shape[2];
        var height = (long)Math.Max(1, Math.Round(Math.Sqrt((double)tokens * _latents.Height / _latents.Width)));
        while (height > 1 && tokens % height != 0)
            height--;
        var maps = weights[^1].to(float32).mean([0]).transpose(0, 1).reshape(1, -1, height, tokens / height); // [1, S, h', w']
        var enlarged = nn.functional.interpolate(maps, [_latents.Height, _latents.Width], mode: InterpolationMode.Bilinear, align_corners: false)[0];
        var sum = _sum is null ? enlarged.clone() : _sum + enlarged;
        _sum?.Dispose();
        _sum = sum.DetachFromDisposeScope();
        _count++;
    }
}
