using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>What steers, and how much.</summary>
/// <param name="Picture">Edges, depth, a pose, ...: [B, 3, 8h, 8w] in [0, 1].</param>
/// <param name="Scale">Factor of all residuals.</param>
/// <param name="IsGuessing">Guess mode: the outer residuals count less, from 0.1 up to 1 in the middle.</param>
public readonly record struct ControlSignal(Tensor Picture, double Scale = 1, bool IsGuessing = false);

/// <summary>Residuals for a U-Net's skip connections, in the order of computation, and for its middle.</summary>
public readonly record struct ControlNetOutput(IReadOnlyList<Tensor> Down, Tensor Mid);

/// <summary>A copy of a U-Net's way down that sees a picture and steers the U-Net, with the config keys and checkpoint keys of diffusers.</summary>
/// <remarks>Zhang et al. 2023, arXiv:2302.05543. It computes in the type of its weights.</remarks>
public sealed class ControlNetModel : Module<Tensor, Tensor, UNetConditioning, ControlSignal, ControlNetOutput>
{
    private readonly Conv2d conv_in;
    private readonly TimestepEmbedding time_embedding;
    private readonly Module<Tensor, Tensor>? class_embedding;
    private readonly TimestepEmbedding? add_embedding;
    private readonly ControlPictureEncoder controlnet_cond_embedding;
    private readonly ModuleList<CrossDownBlock> down_blocks = ModuleList<CrossDownBlock>();
    private readonly ModuleList<Conv2d> controlnet_down_blocks = ModuleList<Conv2d>();
    private readonly CrossMidBlock? mid_block;
    private readonly Conv2d controlnet_mid_block;
    private readonly ConditionEmbedding _embedding;

    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public ControlNetModel(ControlNetConfig config, Device? device = null)
        : base(nameof(ControlNetModel))
    {
        config.Check(new ConfigCheck(nameof(ControlNetModel)));
        Config = config;
        var (plan, widths) = (new UNetPlan(config.UNet, device), config.BlockOutChannels);
        conv_in = Conv2d(config.InChannels, widths[0], 3, padding: 1, device: device);
        _embedding = new ConditionEmbedding(config.UNet, device);
        (time_embedding, class_embedding, add_embedding) = (_embedding.Time, _embedding.Classes, _embedding.Added);
        controlnet_cond_embedding = new ControlPictureEncoder(config, device);
        plan.AddDownBlocks(down_blocks);
        mid_block = plan.CreateMidBlock();
        foreach (var width in SkipWidths(config))
            controlnet_down_blocks.Add(Conv2d(width, width, 1, device: device));
        controlnet_mid_block = Conv2d(widths[^1], widths[^1], 1, device: device);
        RegisterComponents();
    }

    public ControlNetConfig Config { get; }

    /// <summary>The type of the weights, in which it computes.</summary>
    public ScalarType Precision => conv_in.weight.dtype;

    /// <summary>Gradient checkpointing of every residual and transformer block: the same gradients, to the bit, with less memory and more time.</summary>
    public bool IsCheckpointed
    {
        set => CheckpointedBlocks.Set(this, value);
    }

    /// <summary>A network that begins as a U-Net's own way down behind convolutions of zeros: before training it changes nothing.</summary>
    /// <param name="reduction">Pixels per latent along a side.</param>
    /// <param name="random">Draws the first weights of the picture's encoder.</param>
    /// <exception cref="BrumaException">The U-Net has something that no ControlNet can copy.</exception>
    public static ControlNetModel Of(UNet2DConditionModel network, int reduction, Generator random)
    {
        var control = new ControlNetModel(ControlNetConfig.For(network.Config, reduction));
        using var scope = NewDisposeScope();
        using var still = no_grad();
        control.controlnet_cond_embedding.Initialize(random);
        Initialization.Zero([control.controlnet_mid_block, .. control.controlnet_down_blocks]);
        var weights = network.state_dict();
        foreach (var (name, parameter) in control.named_parameters().Where(pair => !pair.name.StartsWith("controlnet_", StringComparison.Ordinal)))
            parameter.copy_(weights[name]);
        return control;
    }

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static ControlNetModel Load(string folder, string? variant = null) =>
        NetworkFiles.Load(new ControlNetModel(ConfigFile.Read(Path.Combine(folder, "config.json"), StableDiffusionConfigs.Default.ControlNetConfig, ConfigKind.Model)), folder, variant);

    /// <summary>Writes a folder that <see cref="Load"/> and diffusers read.</summary>
    /// <param name="weights">Weights by key, in the type to store; null takes the network's own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null) =>
        NetworkFiles.Save(folder, (this, Config), StableDiffusionConfigs.Default.ControlNetConfig, weights);

    /// <param name="sample">Noisy latents, [B, 4, h, w].</param>
    /// <param name="timesteps">[B], or one for all.</param>
    /// <param name="conditioning">What the U-Net sees too.</param>
    public override ControlNetOutput forward(Tensor sample, Tensor timesteps, UNetConditioning conditioning, ControlSignal signal)
    {
        using var scope = NewDisposeScope();
        CheckPicture(sample, signal.Picture);
        var times = timesteps.to(sample.device).flatten().expand(sample.shape[0]);
        var (time, context) = (_embedding.Embed(times, conditioning, Precision), conditioning.Context.to(Precision));
        var picture = Config.ControlnetConditioningChannelOrder == "bgr" ? signal.Picture.flip(1) : signal.Picture;

        var x = conv_in.call(sample.to(Precision)) + controlnet_cond_embedding.call(picture.to(Precision));
        var skips = new List<Tensor> { x };
        foreach (var block in down_blocks)
        {
            (x, var added) = block.call(new CrossInput(x, time, context));
            skips.AddRange(added);
        }
        x = mid_block is null ? x : mid_block.call(new CrossInput(x, time, context));

        var residuals = skips.Select((skip, i) => controlnet_down_blocks[i].call(skip)).Append(controlnet_mid_block.call(x)).ToList();
        var scaled = residuals.Select((residual, i) => Scaled(residual, i, residuals.Count, signal).MoveToOuterDisposeScope()).ToList();
        return new ControlNetOutput(scaled[..^1], scaled[^1]);
    }

    /// <summary>What the U-Net sees, with this network's residuals.</summary>
    /// <param name="conditioning">Without them.</param>
    public UNetConditioning Steer(UNetConditioning conditioning, Tensor sample, Tensor timesteps, ControlSignal signal)
    {
        var output = call(sample, timesteps, conditioning, signal);
        return conditioning with { DownResiduals = output.Down, MidResidual = output.Mid };
    }

    private Tensor Scaled(Tensor residual, int index, int count, ControlSignal signal)
    {
        var guess = signal.IsGuessing && !Config.GlobalPoolConditions ? Math.Pow(10, -1 + (double)index / (count - 1)) : 1; // 0.1 to 1
        var scaled = residual * (signal.Scale * guess);
        return Config.GlobalPoolConditions ? scaled.mean([2, 3], keepdim: true) : scaled;
    }

    private void CheckPicture(Tensor sample, Tensor picture)
    {
        var factor = 1 << (Config.ConditioningEmbeddingOutChannels.Length - 1);
        if (picture.dim() != 4 || picture.shape[1] != Config.ConditioningChannels || picture.shape[2] != factor * sample.shape[2] || picture.shape[3] != factor * sample.shape[3])
            throw new BrumaException($"The ControlNet takes a picture of {factor * sample.shape[3]}x{factor * sample.shape[2]} with {Config.ConditioningChannels} channels for these latents but was given [{string.Join(", ", picture.shape)}]; resize it.");
    }

    /// <summary>Widths of the skip connections: the first convolution's, then those of each level's layers and of its resampling.</summary>
    private static IEnumerable<int> SkipWidths(ControlNetConfig config) =>
        config.BlockOutChannels.SelectMany((width, i) => Enumerable.Repeat(width, config.LayersPerBlock + (i < config.BlockOutChannels.Length - 1 ? 1 : 0))).Prepend(config.BlockOutChannels[0]);
}
