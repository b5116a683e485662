using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>Three convolutions and a residual.</summary>
public sealed class TinyBlock : Module<Tensor, Tensor>
{
    private readonly Sequential conv;

    public TinyBlock(long channels, Device? device = null)
        : base(nameof(TinyBlock))
    {
        Conv2d Convolution() => Conv2d(channels, channels, 3, padding: 1, device: device);
        conv = Sequential(("0", Convolution()), ("1", ReLU()), ("2", Convolution()), ("3", ReLU()), ("4", Convolution()));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return functional.relu(conv.call(x) + x).MoveToOuterDisposeScope();
    }
}

/// <summary>Pictures to latents.</summary>
public sealed class TinyEncoder : Module<Tensor, Tensor>
{
    private readonly Sequential layers;

    internal TinyEncoder(AutoencoderTinyConfig config, Device? device)
        : base(nameof(TinyEncoder))
    {
        var (widths, parts) = (config.EncoderBlockOutChannels, new List<Module<Tensor, Tensor>>());
        for (var i = 0; i < widths.Length; i++)
        {
            parts.Add(i == 0
                ? Conv2d(config.InChannels, widths[i], 3, padding: 1, device: device)
                : Conv2d(widths[i - 1], widths[i], 3, stride: 2, padding: 1, bias: false, device: device));
            parts.AddRange(Enumerable.Range(0, config.NumEncoderBlocks[i]).Select(_ => new TinyBlock(widths[i], device)));
        }
        parts.Add(Conv2d(widths[^1], config.LatentChannels, 3, padding: 1, device: device));
        layers = Sequential(parts);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return layers.call((x + 1) / 2).MoveToOuterDisposeScope();
    }
}

/// <summary>Latents to pictures.</summary>
public sealed class TinyDecoder : Module<Tensor, Tensor>
{
    private const double Limit = 3; // latents saturate softly there

    private readonly Sequential layers;

    internal TinyDecoder(AutoencoderTinyConfig config, Device? device)
        : base(nameof(TinyDecoder))
    {
        var widths = config.DecoderBlockOutChannels;
        var parts = new List<Module<Tensor, Tensor>> { Conv2d(config.LatentChannels, widths[0], 3, padding: 1, device: device), ReLU() };
        for (var i = 0; i < widths.Length; i++)
        {
            var isLast = i == widths.Length - 1;
            parts.AddRange(Enumerable.Range(0, config.NumDecoderBlocks[i]).Select(_ => new TinyBlock(widths[i], device)));
            if (!isLast)
                parts.Add(Upsample(scale_factor: [config.UpsamplingScalingFactor, config.UpsamplingScalingFactor]));
            parts.Add(Conv2d(widths[i], isLast ? config.OutChannels : widths[i], 3, padding: 1, bias: isLast, device: device));
        }
        layers = Sequential(parts);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return (layers.call((x / Limit).tanh() * Limit) * 2 - 1).MoveToOuterDisposeScope();
    }
}
