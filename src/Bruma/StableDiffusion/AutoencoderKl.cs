using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>The variational autoencoder of Stable Diffusion, <c>AutoencoderKL</c>, with the config keys and checkpoint keys of diffusers.</summary>
/// <remarks>
/// Rombach et al. 2022, arXiv:2112.10752. It computes in the type of its weights and scales nothing: pipelines multiply encoded latents by
/// <see cref="AutoencoderKlConfig.ScalingFactor"/> and divide before decoding. Before training from scratch call <see cref="Initialize"/>.
/// </remarks>
public sealed class AutoencoderKl : Module<Tensor, Tensor>
{
    private const double Eps = 1e-6;

    private readonly Encoder encoder;
    private readonly Decoder decoder;
    private readonly Conv2d? quant_conv;
    private readonly Conv2d? post_quant_conv;

    /// <param name="device">Where the weights are; the meta device takes no memory.</param>
    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public AutoencoderKl(AutoencoderKlConfig config, Device? device = null)
        : base("AutoencoderKL")
    {
        config.Check(new ConfigCheck("AutoencoderKL"));
        Config = config;
        var options = new ResnetOptions(null, config.NormNumGroups, Eps, Activation: config.ActFn, Device: device);
        var latents = config.LatentChannels;
        encoder = new Encoder(config, options);
        decoder = new Decoder(config, options);
        quant_conv = config.UseQuantConv ? Conv2d(2 * latents, 2 * latents, 1, device: device) : null;
        post_quant_conv = config.UsePostQuantConv ? Conv2d(latents, latents, 1, device: device) : null;
        RegisterComponents();
    }

    public AutoencoderKlConfig Config { get; }

    /// <summary>Gradient checkpointing of every residual block and attention: the same gradients, to the bit, with less memory and more time.</summary>
    public bool IsCheckpointed
    {
        set => CheckpointedBlocks.Set(this, value);
    }

    /// <summary>The type of the weights, in which it computes.</summary>
    public ScalarType Precision => decoder.Output.weight.dtype;

    /// <summary>The weight of the decoder's last convolution, [3, C, 3, 3].</summary>
    public Parameter LastWeight => decoder.Output.weight;

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static AutoencoderKl Load(string folder, string? variant = null) => Load(folder, variant, ScalarType.Float32);

    /// <inheritdoc cref="Load(string, string?)"/>
    /// <param name="dtype">The type of the weights, in which it computes.</param>
    public static AutoencoderKl Load(string folder, string? variant, ScalarType dtype)
    {
        var config = ReadConfig(folder);
        return NetworkFiles.Load(device => new AutoencoderKl(config, device), folder, variant, dtype, WeightOptions.FirstAttentionNames);
    }

    /// <summary>The config of a folder.</summary>
    public static AutoencoderKlConfig ReadConfig(string folder) =>
        ConfigFile.Read(Path.Combine(folder, "config.json"), StableDiffusionConfigs.Default.AutoencoderKlConfig, ConfigKind.Model);

    /// <summary>Writes a folder that <see cref="Load(string, string?)"/> and diffusers read.</summary>
    /// <param name="weights">Weights by key, in the type to store; null takes the network's own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null) =>
        NetworkFiles.Save(folder, (this, Config), StableDiffusionConfigs.Default.AutoencoderKlConfig, weights);

    /// <summary>Draws start weights.</summary>
    /// <param name="zeroOutputs">Whether every residual branch begins at 0, so that the network begins as simple as it can.</param>
    public void Initialize(Generator generator, bool zeroOutputs = false)
    {
        Initialization.Reset(this, generator);
        if (!zeroOutputs)
            return;
        Initialization.Zero([.. modules().OfType<ResnetBlock>().Select(block => block.Output)]);
        Initialization.Zero([.. modules().OfType<SpatialAttention>().Select(attention => attention.Output)]);
    }

    /// <param name="pictures">[B, 3, H, W] in [-1, 1]; sides that the reduction (8 for Stable Diffusion) divides.</param>
    /// <returns>A distribution over latents, [B, 4, H/8, W/8], unscaled.</returns>
    public LatentDistribution Encode(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var moments = encoder.call(ChannelsLast.Of(pictures.to(Precision)));
        moments = quant_conv is null ? moments : quant_conv.call(moments);
        var parts = moments.contiguous().chunk(2, 1);
        return new LatentDistribution(parts[0].MoveToOuterDisposeScope(), parts[1].clamp(LatentDistribution.LeastLogVariance, 20).MoveToOuterDisposeScope());
    }

    /// <param name="latents">[B, 4, h, w], unscaled.</param>
    /// <returns>Pictures, [B, 3, 8h, 8w], mostly in [-1, 1].</returns>
    public Tensor Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var x = ChannelsLast.Of(latents.to(Precision));
        x = post_quant_conv is null ? x : post_quant_conv.call(x);
        return decoder.call(x).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Encodes and decodes without noise.</summary>
    public override Tensor forward(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        return Decode(Encode(pictures).Mean).MoveToOuterDisposeScope();
    }
}
