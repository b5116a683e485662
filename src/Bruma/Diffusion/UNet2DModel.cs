using System.Text.Json;
using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using static TorchSharp.torch.nn.functional;

namespace Bruma.Diffusion;

/// <summary>The U-Net of diffusion in pixel space, unconditional or class-conditional; keys and config are those of diffusers' class.</summary>
/// <remarks>Ho et al. 2020, arXiv:2006.11239. It computes in the type of its weights and returns that type.</remarks>
public sealed class UNet2DModel : Module<Tensor, Tensor, Tensor?, Tensor>
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Conv2d conv_in;
    private readonly TimestepEmbedding time_embedding;
    private readonly Module<Tensor, Tensor>? class_embedding;
    private readonly ModuleList<DownBlock2D> down_blocks = [];
    private readonly UNetMidBlock2D? mid_block;
    private readonly ModuleList<UpBlock2D> up_blocks = [];
    private readonly GroupNorm conv_norm_out;
    private readonly Conv2d conv_out;

    /// <exception cref="BrumaException">The config asks for something that this class does not have.</exception>
    public UNet2DModel(UNet2DConfig config) : base(nameof(UNet2DModel))
    {
        config.Check(new ConfigCheck(nameof(UNet2DModel)));
        Config = config;
        conv_in = Conv2d(config.InChannels, config.Widths[0], 3, padding: 1);
        time_embedding = new TimestepEmbedding(config.Widths[0], config.TimeWidth);
        class_embedding = config switch
        {
            { ClassEmbedType: "timestep" } => new TimestepEmbedding(config.Widths[0], config.TimeWidth),
            { ClassEmbedType: "identity" } => Identity(),
            { NumClassEmbeds: { } rows } => Embedding(rows, config.TimeWidth),
            _ => null,
        };
        for (var level = 0; level < config.Widths.Count; level++)
            down_blocks.Add(new DownBlock2D(config, level));
        if (config.MidBlockType is not null)
            mid_block = new UNetMidBlock2D(config);
        for (var index = 0; index < config.Widths.Count; index++)
            up_blocks.Add(new UpBlock2D(config, index));
        conv_norm_out = Norms.Group(config.NormNumGroups, config.Widths[0], config.NormEps);
        conv_out = Conv2d(config.Widths[0], config.OutChannels, 3, padding: 1);
        RegisterComponents();
    }

    public UNet2DConfig Config { get; }

    /// <param name="sample">x_t, [B, C, H, W].</param>
    /// <param name="timesteps">Times, [B].</param>
    /// <param name="classLabels">Class indices, [B]; null exactly for an unconditional network.</param>
    /// <returns>Prediction, [B, C, H, W], in the weights' type.</returns>
    public override Tensor forward(Tensor sample, Tensor timesteps, Tensor? classLabels)
    {
        using var scope = NewDisposeScope();
        var type = conv_in.weight!.dtype;
        var x = sample.to(type);
        if (Config.CenterInputSample)
            x = 2 * x - 1;
        var time = time_embedding.call(Sinusoid(timesteps, type));
        if (class_embedding is not null)
            time += Class(classLabels ?? throw new ArgumentNullException(nameof(classLabels), "the network is class-conditional"), type);

        x = conv_in.call(x);
        var skips = new Stack<Tensor>([x]);
        foreach (var block in down_blocks)
        {
            (x, var added) = block.call(x, time);
            foreach (var skip in added)
                skips.Push(skip);
        }
        if (mid_block is not null)
            x = mid_block.call(x, time);
        foreach (var block in up_blocks)
            x = block.call(x, skips, time);
        return conv_out.call(silu(conv_norm_out.call(x))).MoveToOuterDisposeScope();
    }

    /// <summary>Reads <c>config.json</c> and the weights beside it, fp32.</summary>
    public static UNet2DModel Load(string folder, string? variant = null)
    {
        var network = new UNet2DModel(ConfigFile.Read(Path.Combine(folder, "config.json"), UNet2DJson.Default.UNet2DConfig, ConfigKind.Model));
        using var weights = ModelFolder.Open(folder, variant);
        ModuleWeights.Load(network, weights);
        return network;
    }

    /// <summary>Writes the folder that <see cref="Load"/> and diffusers read.</summary>
    /// <param name="weights">Weights by key, in the type to store; null takes the network's own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null)
    {
        var json = JsonSerializer.SerializeToNode(Config, UNet2DJson.Default.UNet2DConfig)!.AsObject();
        json.Insert(0, "_class_name", nameof(UNet2DModel));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), json.ToJsonString(Indented) + "\n");
        SafetensorsFile.Write(Path.Combine(folder, "diffusion_pytorch_model.safetensors"), weights ?? state_dict());
    }

    /// <summary>Start values for training from scratch, from the generator alone. What closes a residual branch and the network starts at zero.</summary>
    public void Initialize(Generator generator)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var (name, parameter) in named_parameters())
        {
            if (parameter.dim() < 2)
                continue; // norms are set at construction, biases below
            var fanIn = parameter.numel() / parameter.shape[0];
            var bound = name.StartsWith("class_embedding", StringComparison.Ordinal) ? 0.02 : Math.Sqrt(1.0 / fanIn); // what Linear and Conv2d start with
            parameter.copy_((rand(parameter.shape, generator: generator) * 2 - 1) * bound);
        }
        foreach (var (name, parameter) in named_parameters().Where(pair => pair.name.EndsWith("bias", StringComparison.Ordinal)))
            parameter.zero_();
        foreach (var module in modules())
            (module switch { ResnetBlock2D block => block.Output.weight, SpatialSelfAttention attention => attention.Output.weight, _ => null })?.zero_();
        conv_out.weight!.zero_();
    }

    internal static ResnetSettings Resnets(UNet2DConfig config) =>
        new(config.TimeWidth, config.NormNumGroups, config.NormEps, config.Dropout, config.ResnetTimeScaleShift == "scale_shift");

    internal static SpatialSelfAttention Attention(UNet2DConfig config, int width, double rescale = 1) =>
        new(width, config.AttentionHeadDim, config.AttnNormNumGroups ?? config.NormNumGroups, config.NormEps, rescale);

    private Tensor Sinusoid(Tensor times, ScalarType type) => SinusoidalEmbedding.Of(times, Config.Widths[0], Config.FlipSinToCos, Config.FreqShift).to(type);

    private Tensor Class(Tensor labels, ScalarType type) => Config.ClassEmbedType switch
    {
        "timestep" => class_embedding!.call(Sinusoid(labels, type)),
        "identity" => labels.to(type),
        _ => class_embedding!.call(labels),
    };
}
