using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision;

/// <summary>An untrained convolutional network whose weights follow from a seed; features are mean and deviation of every channel of its three levels, 896 in all.</summary>
/// <remarks>Random features rank generators much as trained ones do and complement them (arXiv:2208.09218). They see texture, not meaning.</remarks>
public sealed class RandomFeatures : Module<Tensor, Tensor>
{
    /// <summary>Height and width of the input.</summary>
    public const int Size = 64;

    private static readonly int[] Widths = [64, 128, 256];

    private readonly ModuleList<Conv2d> layers = ModuleList<Conv2d>();

    public RandomFeatures(long seed) : base(nameof(RandomFeatures))
    {
        var width = 3;
        foreach (var next in Widths)
        {
            layers.Add(Conv2d(width, next, 3, padding: 1));
            width = next;
        }
        RegisterComponents();
        Fill(seed);
        eval();
    }

    /// <param name="images">[B, 3, 64, 64] in [-1, 1].</param>
    /// <returns>[B, 896].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (x, features) = (images, new List<Tensor>());
        foreach (var layer in layers)
        {
            x = functional.relu(layer.call(x));
            features.AddRange([x.mean([2L, 3L]), x.flatten(2).std(2)]);
            x = functional.avg_pool2d(x, 2);
        }
        return cat(features, 1).MoveToOuterDisposeScope();
    }

    private void Fill(long seed)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var generator = HashedSeed.At(seed, 896);
        foreach (var layer in layers)
        {
            var weight = layer.weight;
            weight.copy_(randn(weight.shape, generator: generator) * Math.Sqrt(2.0 / (weight.numel() / weight.shape[0])));
            layer.bias!.zero_();
        }
    }
}
