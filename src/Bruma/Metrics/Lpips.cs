using Bruma.Hub;
using Bruma.Vision;
using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>Learned perceptual distance of two pictures: differences of normalised features, weighted by channel as people judged.</summary>
/// <remarks>Zhang et al. 2018, arXiv:1801.03924, version 0.1.</remarks>
public sealed class Lpips : IDisposable
{
    private const double Eps = 1e-10;

    private readonly PerceptualNetwork _network;
    private readonly Tensor[] _weights;

    /// <param name="network">The backbone; from here on it belongs to this.</param>
    /// <param name="heads">Holds <c>NET.linN.model.1.weight</c> [1, C, 1, 1] for every tap.</param>
    public Lpips(PerceptualNetwork network, ITensorSource heads)
    {
        _network = network;
        _weights = [.. PerceptualNetwork.Taps[network.Net].Select((_, i) => heads.Read($"{network.Net}.lin{i}.model.1.weight", float64).DetachFromDisposeScope())];
    }

    public string Net => _network.Net;

    /// <summary>The published linear heads that come with Bruma, and a backbone of torchvision from a user's file.</summary>
    public static Lpips Load(string backbone, string? heads = null)
    {
        using var weights = new SafetensorsFile(heads ?? Path.Combine(AppContext.BaseDirectory, "models", "lpips", "lin.safetensors"));
        return new Lpips(PerceptualNetwork.Load(backbone), weights);
    }

    /// <param name="a">fp32 [B, 3, H, W] in [-1, 1].</param>
    /// <param name="b">fp32 [B, 3, H, W] in [-1, 1].</param>
    /// <returns>Parts by layer, float64 [B, L]; their sum is the distance.</returns>
    public Tensor Layers(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (first, second) = (_network.call(Normalize(a)), _network.call(Normalize(b)));
        return stack([.. _weights.Select((weight, i) => ((Unit(first[i]) - Unit(second[i])).pow(2) * weight).sum(1).mean([1L, 2L]))], 1).MoveToOuterDisposeScope();
    }

    /// <summary>float64 [B].</summary>
    public Tensor Distance(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return Layers(a, b).sum(1).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _network.Dispose();
        foreach (var weight in _weights)
            weight.Dispose();
    }

    private static Tensor Normalize(Tensor x) =>
        (x - tensor(new[] { -0.030f, -0.088f, -0.188f }).reshape(1, 3, 1, 1)) / tensor(new[] { 0.458f, 0.448f, 0.450f }).reshape(1, 3, 1, 1);

    private static Tensor Unit(Tensor features)
    {
        using var scope = NewDisposeScope();
        var x = features.to(float64);
        return (x / (x.pow(2).sum(1, keepdim: true).sqrt() + Eps)).MoveToOuterDisposeScope();
    }
}
