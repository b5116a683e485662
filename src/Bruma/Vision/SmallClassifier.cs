using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision;

/// <summary>A convolutional classifier for images of 28 to 64 px that trains in about a minute on a CPU: the judge of class-conditional samples.</summary>
/// <remarks>Five 3x3 convolutions with batch norm and ReLU (widths 32, 64/2, 96, 128/2, 128), mean over positions (128 features), dropout, linear: 0.33 M parameters.</remarks>
public sealed class SmallClassifier : Module<Tensor, Tensor>
{
    /// <summary>Width of <see cref="Features"/>.</summary>
    public const int FeatureWidth = 128;

    private static readonly (int Width, int Stride)[] Layers = [(32, 1), (64, 2), (96, 1), (128, 2), (FeatureWidth, 1)];

    private readonly Sequential features;
    private readonly SeededDropout dropout;
    private readonly Linear head;

    /// <param name="channels">1 for gray, 3 for colour.</param>
    /// <param name="classes">Number of classes K.</param>
    public SmallClassifier(int channels, int classes) : base(nameof(SmallClassifier))
    {
        var modules = new List<Module<Tensor, Tensor>>();
        var previous = channels;
        foreach (var (width, stride) in Layers)
        {
            modules.AddRange([Conv2d(previous, width, 3, stride: stride, padding: 1, bias: false), BatchNorm2d(width), ReLU()]);
            previous = width;
        }
        features = Sequential(modules);
        dropout = new SeededDropout(0.2);
        head = Linear(FeatureWidth, classes);
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W] in [-1, 1].</param>
    /// <returns>Logits, [B, K].</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return head.call(dropout.call(Features(images))).MoveToOuterDisposeScope();
    }

    /// <summary>The vector before the head: what distances between sets of images are measured in.</summary>
    /// <param name="images">[B, C, H, W] in [-1, 1].</param>
    /// <returns>[B, 128].</returns>
    public Tensor Features(Tensor images)
    {
        using var scope = NewDisposeScope();
        return features.call(images).mean([2L, 3L]).MoveToOuterDisposeScope();
    }

    /// <summary>Weights from the generator alone, so that the judge is the same for the same seed.</summary>
    public void Initialize(Generator generator)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        foreach (var parameter in parameters().Where(parameter => parameter.dim() >= 2))
        {
            var fanIn = parameter.numel() / parameter.shape[0];
            parameter.copy_(randn(parameter.shape, generator: generator) * Math.Sqrt(2.0 / fanIn));
        }
        head.bias!.zero_();
    }
}
