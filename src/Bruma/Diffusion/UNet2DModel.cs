using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>The U-Net of unconditional and class-conditional diffusion, with the config keys and checkpoint keys of diffusers.</summary>
/// <remarks>
/// Ho et al. 2020, arXiv:2006.11239. It computes in the type of its weights: convert these for another precision. The time embedding is encoded in fp32.
/// Before training from scratch call <see cref="Initialize"/>, before training with dropout <see cref="SeededDropout.SetGenerator"/>.
/// </remarks>
public sealed class UNet2DModel : Module<Tensor, Tensor, Tensor?, Tensor>
{
    private const double FourierScale = 16;

    private readonly Conv2d conv_in;
    private readonly Module<Tensor, Tensor>? time_proj;
    private readonly TimestepEmbedding time_embedding;
    private readonly Module<Tensor, Tensor>? class_embedding;
    private readonly ModuleList<DownBlock> down_blocks = ModuleList<DownBlock>();
    private readonly MidBlock? mid_block;
    private readonly ModuleList<UpBlock> up_blocks = ModuleList<UpBlock>();
    private readonly ActivatedGroupNorm conv_norm_out;
    private readonly Conv2d conv_out;

    /// <param name="device">Where the weights are; the meta device takes no memory.</param>
    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public UNet2DModel(UNet2DConfig config, Device? device = null)
        : base(nameof(UNet2DModel))
    {
        config.Check(new ConfigCheck(nameof(UNet2DModel)));
        Config = config;
        var plan = new UNet2DPlan(config, device);
        var first = config.BlockOutChannels[0];

        conv_in = Conv2d(config.InChannels, first, 3, padding: 1, device: device);
        time_proj = config.TimeEmbeddingType switch
        {
            "fourier" => new FourierProjection(first, FourierScale, device),
            "learned" => Embedding(config.NumTrainTimesteps!.Value, first, device: device),
            _ => null,
        };
        var encodedWidth = config.TimeEmbeddingType == "fourier" ? 2 * first : first;
        time_embedding = new TimestepEmbedding(encodedWidth, config.TimeWidth, device);
        class_embedding = config switch
        {
            { ClassEmbedType: "timestep" } => new TimestepEmbedding(encodedWidth, config.TimeWidth, device),
            { ClassEmbedType: null, NumClassEmbeds: { } classes } => Embedding(classes, config.TimeWidth, device: device),
            _ => null,
        };
        plan.AddDownBlocks(down_blocks);
        mid_block = plan.CreateMidBlock();
        plan.AddUpBlocks(up_blocks);
        conv_norm_out = new ActivatedGroupNorm(config.NormNumGroups, first, config.NormEps, device: device);
        conv_out = Conv2d(first, config.OutChannels, 3, padding: 1, device: device);
        RegisterComponents();
    }

    public UNet2DConfig Config { get; }

    /// <summary>Gradient checkpointing of every residual block and attention: the same gradients, to the bit, with less memory and more time.</summary>
    public bool IsCheckpointed
    {
        set => CheckpointedBlocks.Set(this, value);
    }

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static UNet2DModel Load(string folder, string? variant = null) =>
        NetworkFiles.Load(new UNet2DModel(ConfigFile.Read(Path.Combine(folder, "config.json"), NetworkConfigs.Default.UNet2DConfig, ConfigKind.Model)), folder, variant);

    /// <summary>Writes a folder that <see cref="Load"/> and diffusers read.</summary>
    /// <param name="weights">Weights by key, in the type to store; null takes the network's own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null) =>
        NetworkFiles.Save(folder, (this, Config), NetworkConfigs.Default.UNet2DConfig, weights);

    /// <summary>Draws start weights.</summary>
    /// <param name="zeroOutputs">Whether every residual branch and the output begin at 0, so that the network begins as simple as it can.</param>
    public void Initialize(Generator generator, bool zeroOutputs = true)
    {
        Initialization.Reset(this, generator);
        if (!zeroOutputs)
            return;
        Initialization.Zero(conv_out);
        Initialization.Zero([.. modules().OfType<ResnetBlock>().Select(block => block.Output)]);
        Initialization.Zero([.. modules().OfType<SpatialAttention>().Select(attention => attention.Output)]);
    }

    /// <param name="sample">Noisy samples, [B, C, H, W].</param>
    /// <param name="timesteps">[B], or one for all; noise levels where the config says <c>fourier</c>.</param>
    /// <param name="classLabels">[B] (with <c>identity</c> [B, T]); null exactly when the network has no classes.</param>
    /// <returns>[B, Cout, H, W] in the type of the weights: compute the loss in fp32.</returns>
    /// <exception cref="BrumaException">Class labels are missing, or given to a network without classes.</exception>
    public override Tensor forward(Tensor sample, Tensor timesteps, Tensor? classLabels = null)
    {
        using var scope = NewDisposeScope();
        var dtype = conv_in.weight.dtype;
        var times = timesteps.to(sample.device).flatten().expand(sample.shape[0]);
        var embedding = Embed(times, classLabels, dtype);

        var x = sample.to(dtype);
        x = conv_in.call(Config.CenterInputSample ? 2 * x - 1 : x);
        var skips = new Stack<Tensor>([x]);
        foreach (var block in down_blocks)
        {
            (x, var added) = block.call(x, embedding);
            foreach (var skip in added)
                skips.Push(skip);
        }
        x = mid_block is null ? x : mid_block.call(x, embedding);
        foreach (var block in up_blocks)
            x = block.call(new UpInput(x, skips, embedding));

        x = conv_out.call(conv_norm_out.call(x, null));
        if (Config.TimeEmbeddingType == "fourier")
            x = x / times.to(dtype).view(-1, 1, 1, 1);
        return x.MoveToOuterDisposeScope();
    }

    /// <returns>The vector that all blocks see, [B, T].</returns>
    private Tensor Embed(Tensor times, Tensor? classLabels, ScalarType dtype)
    {
        var embedding = time_embedding.call(Encode(times).to(dtype));
        if (!Config.HasClasses)
            return classLabels is null ? embedding : throw new BrumaException("The network has no classes (\"num_class_embeds\" is null) but class labels were given; generate without a class.");
        if (classLabels is null)
            throw new BrumaException("The network is class-conditional but no class labels were given; name a class.");
        var classes = Config.ClassEmbedType == "timestep" ? Encode(classLabels).to(dtype) : classLabels;
        return embedding + (class_embedding is null ? classes : class_embedding.call(classes)).to(dtype);
    }

    private Tensor Encode(Tensor times) =>
        time_proj is null ? TimeEncoding.Sinusoidal(times, Config.BlockOutChannels[0], Config.FlipSinToCos, Config.FreqShift) : time_proj.call(times);
}
