using Bruma.Diffusion;
using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>A small autoencoder that decodes latents of Stable Diffusion roughly and at once, for previews; config keys and checkpoint keys of diffusers.</summary>
/// <remarks>Bohan, "TAESD", https://github.com/madebyollin/taesd. Its latents are the scaled ones, so pipelines leave out the scaling factor.</remarks>
public sealed class AutoencoderTiny : Module<Tensor, Tensor>
{
    private readonly TinyEncoder encoder;
    private readonly TinyDecoder decoder;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public AutoencoderTiny(AutoencoderTinyConfig config, Device? device = null)
        : base(nameof(AutoencoderTiny))
    {
        config.Check(new ConfigCheck(nameof(AutoencoderTiny)));
        Config = config;
        encoder = new TinyEncoder(config, device);
        decoder = new TinyDecoder(config, device);
        RegisterComponents();
    }

    public AutoencoderTinyConfig Config { get; }

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static AutoencoderTiny Load(string folder, string? variant = null) =>
        NetworkFiles.Load(new AutoencoderTiny(ConfigFile.Read(Path.Combine(folder, "config.json"), StableDiffusionConfigs.Default.AutoencoderTinyConfig, ConfigKind.Model)), folder, variant);

    /// <param name="pictures">[B, 3, H, W] in [-1, 1].</param>
    /// <returns>[B, 4, H/8, W/8].</returns>
    public Tensor Encode(Tensor pictures) => encoder.call(pictures);

    /// <param name="latents">[B, 4, h, w].</param>
    /// <returns>[B, 3, 8h, 8w], mostly in [-1, 1].</returns>
    public Tensor Decode(Tensor latents) => decoder.call(latents);

    /// <summary>Encodes and decodes.</summary>
    public override Tensor forward(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return Decode(Encode(pictures)).MoveToOuterDisposeScope();
    }
}

/// <summary>The config of diffusers' AutoencoderTiny, with its keys and defaults.</summary>
/// <param name="LatentMagnitude">Range of latents that are stored as bytes; not used inside.</param>
/// <param name="LatentShift">The same.</param>
public sealed record AutoencoderTinyConfig(
    int InChannels = 3,
    int OutChannels = 3,
    int[]? EncoderBlockOutChannels = null,
    int[]? DecoderBlockOutChannels = null,
    string ActFn = "relu",
    string UpsampleFn = "nearest",
    int LatentChannels = 4,
    int UpsamplingScalingFactor = 2,
    int[]? NumEncoderBlocks = null,
    int[]? NumDecoderBlocks = null,
    double LatentMagnitude = 3,
    double LatentShift = 0.5,
    bool ForceUpcast = false,
    double ScalingFactor = 1,
    double ShiftFactor = 0,
    int[]? BlockOutChannels = null) : ICheckedConfig
{
    public int[] EncoderBlockOutChannels { get; init; } = EncoderBlockOutChannels ?? [64, 64, 64, 64];

    public int[] DecoderBlockOutChannels { get; init; } = DecoderBlockOutChannels ?? [64, 64, 64, 64];

    public int[] NumEncoderBlocks { get; init; } = NumEncoderBlocks ?? [1, 3, 3, 3];

    public int[] NumDecoderBlocks { get; init; } = NumDecoderBlocks ?? [3, 3, 3, 1];

    public void Check(ConfigCheck check)
    {
        check.OneOf("act_fn", ActFn, "relu");
        check.OneOf("upsample_fn", UpsampleFn, "nearest");
        Levels(check, "encoder_block_out_channels", EncoderBlockOutChannels, NumEncoderBlocks);
        Levels(check, "decoder_block_out_channels", DecoderBlockOutChannels, NumDecoderBlocks);
        check.Require(LatentChannels > 0, "latent_channels", LatentChannels, "a number above 0");
        check.Require(UpsamplingScalingFactor > 0, "upsampling_scaling_factor", UpsamplingScalingFactor, "a number above 0");
    }

    private static void Levels(ConfigCheck check, string key, int[] widths, int[] blocks)
    {
        check.Require(widths.Length > 0 && widths.Length == blocks.Length, key, widths.Length, $"as many as numbers of blocks, {blocks.Length}");
        check.Require(widths.Distinct().Count() == 1 && widths[0] > 0, key, $"[{string.Join(", ", widths)}]", "equal widths above 0");
    }
}
