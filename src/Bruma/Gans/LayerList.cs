using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>Builds networks from lists of layers; the keys are those of a sequential container, such as <c>3.weight</c>.</summary>
public static class LayerList
{
    /// <exception cref="BrumaException">A type is unknown.</exception>
    public static Sequential Build(IReadOnlyList<LayerSpec> layers)
    {
        var modules = new List<(string, Module<Tensor, Tensor>)>();
        for (var i = 0; i < layers.Count; i++)
            modules.Add((i.ToString(System.Globalization.CultureInfo.InvariantCulture), IsFusedInto(layers, i) ? Identity() : Create(layers, i)));
        return Sequential(modules);
    }

    private static Module<Tensor, Tensor> Create(IReadOnlyList<LayerSpec> layers, int index)
    {
        var layer = layers[index];
        return layer.Type switch
        {
            "Conv2d" when index > 0 && IsFusedInto(layers, index - 1) => new UpsampledConv2d(layer.In, layer.Out, layer.HasBias),
            "Conv2d" when layer.SpectralNorm => new SpectralConv2d(layer),
            "Conv2d" => Conv2d(layer.In, layer.Out, layer.Kernel, stride: layer.Stride, padding: layer.Padding, bias: layer.HasBias),
            "ConvTranspose2d" when IsPoint(layers, index) => new PointToPatch(layer.In, layer.Out, layer.Kernel, layer.HasBias),
            "ConvTranspose2d" when layer.SpectralNorm => new SpectralConv2d(layer, isTransposed: true),
            "ConvTranspose2d" => ConvTranspose2d(layer.In, layer.Out, layer.Kernel, stride: layer.Stride, padding: layer.Padding, bias: layer.HasBias),
            "Linear" when layer.SpectralNorm => new SpectralLinear(layer.In, layer.Out, layer.HasBias),
            "Linear" => Linear(layer.In, layer.Out, layer.HasBias),
            "BatchNorm2d" => BatchNorm2d(layer.Channels),
            "GroupNorm" => Norms.Group(layer.Groups, layer.Channels, 1e-5),
            "LeakyReLU" => LeakyReLU(layer.Slope, inplace: CanOverwrite(layers, index)),
            "ReLU" => ReLU(inplace: CanOverwrite(layers, index)),
            "Tanh" => Tanh(),
            "Flatten" => Flatten(),
            "Unflatten" => Unflatten(1, [.. layer.Shape!]),
            "Upsample" => Upsample(scale_factor: [2, 2]),
            "SumPool" => new SumPool(),
            "ResidualBlock" => new ResidualBlock(layer),
            _ => throw new BrumaException($"\"{layer.Type}\" is no type of layer that Bruma knows."),
        };
    }

    /// <summary>An upsampling before a plain 3x3 convolution is computed together with it.</summary>
    private static bool IsFusedInto(IReadOnlyList<LayerSpec> layers, int index) =>
        layers[index].Type == "Upsample" && index + 1 < layers.Count && layers[index + 1] is { Type: "Conv2d", Kernel: 3, Stride: 1, Padding: 1, SpectralNorm: false };

    /// <summary>A transposed convolution of a single position, which is a matrix product.</summary>
    private static bool IsPoint(IReadOnlyList<LayerSpec> layers, int index) =>
        layers[index] is { Stride: 1, Padding: 0, SpectralNorm: false } && index > 0 && layers[index - 1] is { Type: "Unflatten", Shape: [_, 1, 1] };

    /// <summary>An activation after a layer whose gradient does not need its own output.</summary>
    private static bool CanOverwrite(IReadOnlyList<LayerSpec> layers, int index) =>
        index > 0 && layers[index - 1].Type is "Conv2d" or "ConvTranspose2d" or "Linear" or "BatchNorm2d";
}

/// <summary>Sum over positions: [B, C, H, W] to [B, C].</summary>
public sealed class SumPool() : Module<Tensor, Tensor>(nameof(SumPool))
{
    public override Tensor forward(Tensor x) => x.sum([2L, 3L]);
}
