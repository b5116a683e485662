using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>Patches and the vector of the whole picture, layers, norm and pooling; checkpoint key <c>vision_model</c>.</summary>
public sealed class ClipVisionTransformer : Module<Tensor, bool, TransformerOutput>
{
    private readonly ClipVisionEmbeddings embeddings;
    private readonly LayerNorm pre_layrnorm; // the checkpoints' spelling
    private readonly ClipEncoder encoder;
    private readonly LayerNorm post_layernorm;

    public ClipVisionTransformer(ClipVisionConfig config, Device? device = null)
        : base(nameof(ClipVisionTransformer))
    {
        embeddings = new ClipVisionEmbeddings(config, device);
        pre_layrnorm = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device);
        encoder = new ClipEncoder(config.Tower, device);
        post_layernorm = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device);
        RegisterComponents();
    }

    internal static ClipVisionConfig ReadConfig(string folder) => TransformerConfigs.ReadSection(folder, "vision_config", TransformerConfigs.Default.ClipVisionConfig, "dropout");

    /// <param name="pixels">[B, 3, H, W].</param>
    /// <param name="keepWeights">Whether the output holds the attention weights.</param>
    public override TransformerOutput forward(Tensor pixels, bool keepWeights)
    {
        using var scope = NewDisposeScope();
        var x = pre_layrnorm.call(embeddings.call(pixels));
        var output = encoder.Run(x, new AttentionCall(KeepWeights: keepWeights));
        return (output with { Pooled = post_layernorm.call(output.LastHiddenState.select(1, 0)) }).MoveToOuterDisposeScope();
    }
}

/// <summary>Patches as vectors behind the vector of the whole picture, plus positions.</summary>
public sealed class ClipVisionEmbeddings : Module<Tensor, Tensor>
{
    private readonly Parameter class_embedding;
    private readonly Conv2d patch_embedding;
    private readonly Embedding position_embedding;
    private readonly int _size;

    public ClipVisionEmbeddings(ClipVisionConfig config, Device? device = null)
        : base(nameof(ClipVisionEmbeddings))
    {
        var side = config.ImageSize / config.PatchSize;
        class_embedding = Parameter(zeros(config.HiddenSize, device: device));
        patch_embedding = Conv2d(config.NumChannels, config.HiddenSize, config.PatchSize, config.PatchSize, bias: false, device: device);
        position_embedding = Embedding(side * side + 1, config.HiddenSize, device: device);
        _size = config.ImageSize;
        RegisterComponents();
    }

    /// <param name="pixels">[B, 3, H, W].</param>
    /// <returns>[B, 1 + patches, D].</returns>
    public override Tensor forward(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        if (pixels.dim() != 4 || pixels.shape[2] != _size || pixels.shape[3] != _size)
            throw new BrumaException($"The pictures are [{string.Join(", ", pixels.shape)}] but the encoder sees {_size} x {_size} pixels; resize and crop them first.");
        var patches = patch_embedding.call(pixels.to(patch_embedding.weight.dtype)).flatten(2).transpose(1, 2); // [B, patches, D]
        var whole = class_embedding.expand(patches.shape[0], 1, -1);
        return (cat([whole, patches], 1) + position_embedding.weight!).MoveToOuterDisposeScope();
    }
}
