using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.Transformers;

/// <summary>The config of transformers' CLIPTextModel, with its keys and defaults.</summary>
/// <param name="EosTokenId">Where the pooled vector is taken. 2, which most published configs say, means at the largest id.</param>
public sealed record ClipTextConfig(
    int VocabSize = 49408,
    int HiddenSize = 512,
    int IntermediateSize = 2048,
    int ProjectionDim = 512,
    int NumHiddenLayers = 12,
    int NumAttentionHeads = 8,
    int MaxPositionEmbeddings = 77,
    string HiddenAct = "quick_gelu",
    double LayerNormEps = 1e-5,
    double AttentionDropout = 0,
    int? PadTokenId = 1,
    int? BosTokenId = 49406,
    int? EosTokenId = 49407) : ICheckedConfig
{
    public void Check(ConfigCheck check)
    {
        ClipTower.Check(check, Tower);
        check.Require(VocabSize > 0, "vocab_size", VocabSize, "a number above 0");
        check.Require(MaxPositionEmbeddings > 0, "max_position_embeddings", MaxPositionEmbeddings, "a number above 0");
        check.Require(ProjectionDim > 0, "projection_dim", ProjectionDim, "a number above 0");
        check.Require(EosTokenId is not null, "eos_token_id", EosTokenId, "the id of the end token");
    }

    internal ClipTower Tower => new(HiddenSize, IntermediateSize, NumHiddenLayers, NumAttentionHeads, HiddenAct, LayerNormEps, AttentionDropout);
}

/// <summary>The config of transformers' CLIPVisionModel, with its keys and defaults.</summary>
public sealed record ClipVisionConfig(
    int HiddenSize = 768,
    int IntermediateSize = 3072,
    int ProjectionDim = 512,
    int NumHiddenLayers = 12,
    int NumAttentionHeads = 12,
    int NumChannels = 3,
    int ImageSize = 224,
    int PatchSize = 32,
    string HiddenAct = "quick_gelu",
    double LayerNormEps = 1e-5,
    double AttentionDropout = 0) : ICheckedConfig
{
    public void Check(ConfigCheck check)
    {
        ClipTower.Check(check, Tower);
        check.Require(NumChannels > 0, "num_channels", NumChannels, "a number above 0");
        check.Require(PatchSize > 0, "patch_size", PatchSize, "a number above 0");
        check.Require(ImageSize >= PatchSize, "image_size", ImageSize, $"at least \"patch_size\", {PatchSize}");
        check.Require(ProjectionDim > 0, "projection_dim", ProjectionDim, "a number above 0");
    }

    internal ClipTower Tower => new(HiddenSize, IntermediateSize, NumHiddenLayers, NumAttentionHeads, HiddenAct, LayerNormEps, AttentionDropout);
}

/// <summary>The config of transformers' CLIPModel: both towers and the space in which they meet.</summary>
/// <param name="LogitScaleInitValue">Logarithm of the factor of similarities before training.</param>
public sealed record ClipConfig(ClipTextConfig TextConfig, ClipVisionConfig VisionConfig, int ProjectionDim = 512, double LogitScaleInitValue = 2.6592) : ICheckedConfig
{
    public void Check(ConfigCheck check)
    {
        TextConfig.Check(check);
        VisionConfig.Check(check);
        check.Require(ProjectionDim > 0, "projection_dim", ProjectionDim, "a number above 0");
    }
}

/// <summary>What both towers have in common.</summary>
internal sealed record ClipTower(int HiddenSize, int IntermediateSize, int NumHiddenLayers, int NumAttentionHeads, string HiddenAct, double LayerNormEps, double AttentionDropout)
{
    public static void Check(ConfigCheck check, ClipTower tower)
    {
        check.OneOf("hidden_act", tower.HiddenAct, Activation.TransformerNames);
        check.Require(tower.NumAttentionHeads > 0, "num_attention_heads", tower.NumAttentionHeads, "a number above 0");
        check.Require(tower.HiddenSize > 0 && tower.HiddenSize % tower.NumAttentionHeads == 0, "hidden_size", tower.HiddenSize, $"a multiple of \"num_attention_heads\", {tower.NumAttentionHeads}");
        check.Require(tower.IntermediateSize > 0, "intermediate_size", tower.IntermediateSize, "a number above 0");
        check.Require(tower.NumHiddenLayers >= 0, "num_hidden_layers", tower.NumHiddenLayers, "the number of layers");
        check.Require(tower.AttentionDropout is >= 0 and < 1, "attention_dropout", tower.AttentionDropout, "a probability from 0 to below 1");
    }
}
