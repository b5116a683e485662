using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>The U-Net of Stable Diffusion 1.x, 2.x and SDXL, with the config keys and checkpoint keys of diffusers.</summary>
/// <remarks>
/// Rombach et al. 2022, arXiv:2112.10752; Podell et al. 2023, arXiv:2307.01952. It computes in the type of its weights; times are encoded in fp32.
/// Before training from scratch call <see cref="Initialize"/>, before training with dropout <see cref="SeededDropout.SetGenerator"/>.
/// </remarks>
public sealed class UNet2DConditionModel : Module<Tensor, Tensor, UNetConditioning, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly TimestepEmbedding time_embedding;
    private readonly Module<Tensor, Tensor>? class_embedding;
    private readonly TimestepEmbedding? add_embedding;
    private readonly ModuleList<CrossDownBlock> down_blocks = ModuleList<CrossDownBlock>();
    private readonly CrossMidBlock? mid_block;
    private readonly ModuleList<CrossUpBlock> up_blocks = ModuleList<CrossUpBlock>();
    private readonly ActivatedGroupNorm conv_norm_out;
    private readonly Conv2d conv_out;
    private readonly ConditionEmbedding _embedding;

    /// <param name="device">Where the weights are; the meta device takes no memory.</param>
    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public UNet2DConditionModel(UNet2DConditionConfig config, Device? device = null)
        : base(nameof(UNet2DConditionModel))
    {
        config.Check(new ConfigCheck(nameof(UNet2DConditionModel)));
        Config = config;
        var (plan, first) = (new UNetPlan(config, device), config.BlockOutChannels[0]);
        conv_in = Conv2d(config.InChannels, first, config.ConvInKernel, padding: config.ConvInKernel / 2, device: device);
        _embedding = new ConditionEmbedding(config, device);
        (time_embedding, class_embedding, add_embedding) = (_embedding.Time, _embedding.Classes, _embedding.Added);
        plan.AddDownBlocks(down_blocks);
        mid_block = plan.CreateMidBlock();
        plan.AddUpBlocks(up_blocks);
        conv_norm_out = new ActivatedGroupNorm(config.NormNumGroups, first, config.NormEps, config.ActFn, device);
        conv_out = Conv2d(first, config.OutChannels, config.ConvOutKernel, padding: config.ConvOutKernel / 2, device: device);
        RegisterComponents();
    }

    public UNet2DConditionConfig Config { get; }

    /// <summary>Gradient checkpointing of every residual and transformer block: the same gradients, to the bit, with less memory and more time.</summary>
    public bool IsCheckpointed
    {
        set => CheckpointedBlocks.Set(this, value);
    }

    /// <summary>The type of the weights, in which it computes.</summary>
    public ScalarType Precision => conv_in.weight.dtype;

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static UNet2DConditionModel Load(string folder, string? variant = null) => Load(folder, variant, ScalarType.Float32);

    /// <inheritdoc cref="Load(string, string?)"/>
    /// <param name="dtype">The type of the weights, in which it computes.</param>
    public static UNet2DConditionModel Load(string folder, string? variant, ScalarType dtype)
    {
        var config = ReadConfig(folder);
        return NetworkFiles.Load(device => new UNet2DConditionModel(config, device), folder, variant, dtype);
    }

    /// <summary>The config of a folder.</summary>
    public static UNet2DConditionConfig ReadConfig(string folder) =>
        ConfigFile.Read(Path.Combine(folder, "config.json"), StableDiffusionConfigs.Default.UNet2DConditionConfig, ConfigKind.Model, EmaKeys);

    /// <summary>Writes a folder that <see cref="Load(string, string?)"/> and diffusers read.</summary>
    /// <param name="weights">Weights by key, in the type to store; null takes the network's own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null) =>
        NetworkFiles.Save(folder, (this, Config), StableDiffusionConfigs.Default.UNet2DConditionConfig, weights);

    /// <summary>Draws start weights.</summary>
    /// <param name="zeroOutputs">Whether every residual branch and the output begin at 0, so that the network begins as simple as it can.</param>
    public void Initialize(Generator generator, bool zeroOutputs = true)
    {
        Initialization.Reset(this, generator);
        if (!zeroOutputs)
            return;
        Initialization.Zero(conv_out);
        Initialization.Zero([.. modules().OfType<ResnetBlock>().Select(block => block.Output)]);
        Initialization.Zero([.. modules().OfType<SpatialTransformer>().Select(transformer => transformer.Output)]);
    }

    /// <param name="sample">Noisy latents, [B, C, H, W]; any sides.</param>
    /// <param name="timesteps">[B], or one for all.</param>
    /// <returns>[B, Cout, H, W] in the type of the weights: compute a loss in fp32.</returns>
    /// <exception cref="BrumaException">A condition is missing, of the wrong width, or given to a network that has none of its kind.</exception>
    public override Tensor forward(Tensor sample, Tensor timesteps, UNetConditioning conditioning)
    {
        using var scope = NewDisposeScope();
        CheckChannels(sample, conditioning.Context);
        var times = timesteps.to(sample.device).flatten().expand(sample.shape[0]);
        var (time, context) = (_embedding.Embed(times, conditioning, Precision), conditioning.Context.to(Precision));

        var x = ChannelsLast.Of(sample.to(Precision));
        x = conv_in.call(Config.CenterInputSample ? 2 * x - 1 : x);
        var skips = new List<Tensor> { x };
        foreach (var block in down_blocks)
        {
            (x, var added) = block.call(new CrossInput(x, time, context));
            skips.AddRange(added);
        }
        x = mid_block is null ? x : mid_block.call(new CrossInput(x, time, context));
        x = conditioning.MidResidual is { } addition ? x + addition.to(Precision) : x;

        var left = new Stack<Tensor>(AddResiduals(skips, conditioning.DownResiduals));
        foreach (var block in up_blocks)
            x = block.call(new CrossUpInput(new CrossInput(x, time, context), left));
        return conv_out.call(conv_norm_out.call(x, null)).contiguous().MoveToOuterDisposeScope();
    }

    public override IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
    {
        FastConvolution.Restore(this);
        return base.named_parameters(recurse);
    }

    public override IEnumerable<Parameter> parameters(bool recurse = true)
    {
        FastConvolution.Restore(this);
        return base.parameters(recurse);
    }

    public override Parameter? get_parameter(string target)
    {
        FastConvolution.Restore(this);
        return base.get_parameter(target);
    }

    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
    {
        FastConvolution.Restore(this);
        return base.state_dict(destination, prefix);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            FastConvolution.Forget(this);
        base.Dispose(disposing);
    }

    private static readonly string[] EmaKeys = ["decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup"];

    private void CheckChannels(Tensor sample, Tensor context)
    {
        if (sample.dim() != 4 || sample.shape[1] != Config.InChannels)
            throw new BrumaException($"The U-Net takes samples [B, {Config.InChannels}, H, W] but was given [{string.Join(", ", sample.shape)}]{(Config.IsInpainting ? "; it is made for inpainting" : Config.IsInstruction ? "; it is made for InstructPix2Pix" : "")}.");
        if (context.shape[^1] != Config.CrossAttentionDim[0])
            throw new BrumaException($"The U-Net takes a text context of width {Config.CrossAttentionDim[0]} but was given {context.shape[^1]}; the text encoder belongs to another family of models.");
    }

    private static List<Tensor> AddResiduals(List<Tensor> skips, IReadOnlyList<Tensor>? residuals)
    {
        if (residuals is null)
            return skips;
        if (residuals.Count != skips.Count)
            throw new BrumaException($"A ControlNet gave {residuals.Count} residuals where the U-Net has {skips.Count} skip connections; it was made for another family of models.");
        return [.. skips.Zip(residuals, (skip, residual) => skip + residual.to(skip.dtype))];
    }
}
