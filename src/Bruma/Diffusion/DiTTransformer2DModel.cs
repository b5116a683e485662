using Bruma.Hub;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>The diffusion transformer: class-conditional diffusion on patches, with the config keys and checkpoint keys of diffusers.</summary>
/// <remarks>Peebles and Xie 2023, arXiv:2212.09748. It computes in the type of its weights. Before training from scratch call <see cref="Initialize"/>.</remarks>
public sealed class DiTTransformer2DModel : Module<Tensor, Tensor, Tensor, Tensor>
{
    private readonly PatchEmbed pos_embed;
    private readonly ModuleList<DiTBlock> transformer_blocks = ModuleList<DiTBlock>();
    private readonly LayerNorm norm_out;
    private readonly Linear proj_out_1;
    private readonly Linear proj_out_2;
    private readonly long _outChannels;

    /// <param name="device">Where the weights are; the meta device takes no memory.</param>
    /// <exception cref="BrumaException">The config asks for something that Bruma does not implement.</exception>
    public DiTTransformer2DModel(DiTConfig config, Device? device = null)
        : base(nameof(DiTTransformer2DModel))
    {
        config.Check(new ConfigCheck(nameof(DiTTransformer2DModel)));
        Config = config;
        _outChannels = config.OutChannels ?? config.InChannels;
        pos_embed = new PatchEmbed(config, device);
        for (var i = 0; i < config.NumLayers; i++)
            transformer_blocks.Add(new DiTBlock(config, device));
        norm_out = LayerNorm(config.Width, 1e-6, elementwise_affine: false, device: device);
        proj_out_1 = Linear(config.Width, 2 * config.Width, device: device);
        proj_out_2 = Linear(config.Width, config.PatchSize * config.PatchSize * _outChannels, device: device);
        RegisterComponents();
    }

    public DiTConfig Config { get; }

    /// <summary>Loads a folder with <c>config.json</c> and the weights beside it; the weights become fp32.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the weights do not fit the config.</exception>
    public static DiTTransformer2DModel Load(string folder, string? variant = null) =>
        NetworkFiles.Load(new DiTTransformer2DModel(ConfigFile.Read(Path.Combine(folder, "config.json"), NetworkConfigs.Default.DiTConfig, ConfigKind.Model)), folder, variant);

    /// <summary>Writes a folder that <see cref="Load"/> and diffusers read.</summary>
    /// <param name="weights">Weights by key, in the type to store; null takes the network's own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null) =>
        NetworkFiles.Save(folder, (this, Config), NetworkConfigs.Default.DiTConfig, weights);

    /// <summary>Draws start weights as the paper does: Xavier for linear layers, std 0.02 for the embeddings, 0 for modulations and outputs.</summary>
    public void Initialize(Generator generator)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        Initialization.Reset(this, generator);
        foreach (var linear in modules().OfType<Linear>())
            Initialization.Xavier(linear, generator);
        foreach (var embedder in modules().OfType<TimestepEmbedding>().SelectMany(embedding => embedding.modules().OfType<Linear>()))
            embedder.weight.normal_(0, 0.02, generator);
        foreach (var table in modules().OfType<Embedding>())
            table.weight!.normal_(0, 0.02, generator);
        Initialization.Zero([.. transformer_blocks.Select(block => block.Modulation.Output), proj_out_1, proj_out_2]);
    }

    /// <param name="hiddenStates">Noisy latents, [B, C, H, W]; sides divisible by the patch size.</param>
    /// <param name="timesteps">[B], or one for all.</param>
    /// <param name="classLabels">[B], in 0 to K; K is the null class.</param>
    /// <returns>[B, Cout, H, W] in the type of the weights.</returns>
    public override Tensor forward(Tensor hiddenStates, Tensor timesteps, Tensor classLabels)
    {
        using var scope = NewDisposeScope();
        var times = timesteps.flatten().expand(hiddenStates.shape[0]);
        var tokens = pos_embed.call(hiddenStates.to(proj_out_1.weight.dtype));
        foreach (var block in transformer_blocks)
            tokens = block.call(new DiTInput(tokens, times, classLabels));

        var conditioning = transformer_blocks[0].Modulation.Conditioning.call(times, classLabels);
        var parts = proj_out_1.call(functional.silu(conditioning)).unsqueeze(1).chunk(2, -1); // shift and scale, [B, 1, D]
        tokens = proj_out_2.call(norm_out.call(tokens) * (parts[1] + 1) + parts[0]);
        return Unpatchify(tokens, hiddenStates.shape[2], hiddenStates.shape[3]).MoveToOuterDisposeScope();
    }

    private Tensor Unpatchify(Tensor tokens, long height, long width)
    {
        var patch = Config.PatchSize;
        return tokens.reshape(-1, height / patch, width / patch, patch, patch, _outChannels) // [B, h, w, p, q, C]
            .permute(0, 5, 1, 3, 2, 4).reshape(-1, _outChannels, height, width);
    }
}

/// <summary>Cuts latents into patches, embeds each and adds where it is.</summary>
public sealed class PatchEmbed : Module<Tensor, Tensor>
{
    private readonly Conv2d proj;
    private readonly DiTConfig _config;

    public PatchEmbed(DiTConfig config, Device? device = null)
        : base(nameof(PatchEmbed))
    {
        _config = config;
        proj = Conv2d(config.InChannels, config.Width, config.PatchSize, config.PatchSize, device: device);
        RegisterComponents();
    }

    /// <param name="latents">[B, C, H, W].</param>
    /// <returns>Tokens, row by row, [B, H/p * W/p, D].</returns>
    /// <exception cref="BrumaException">The sides are not divisible by the patch size.</exception>
    public override Tensor forward(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var (patch, height, width) = (_config.PatchSize, latents.shape[2], latents.shape[3]);
        if (height % patch != 0 || width % patch != 0)
            throw new BrumaException($"Latents of {height}x{width} do not divide into patches of {patch}; choose sides that are multiples of \"patch_size\".");
        var tokens = proj.call(latents).flatten(2).transpose(1, 2);
        var places = TimeEncoding.Grid(height / patch, width / patch, _config.Width, _config.SampleSize / patch);
        return (tokens + places.to(tokens.dtype, tokens.device)).MoveToOuterDisposeScope();
    }
}
