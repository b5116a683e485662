using Bruma.Hub;

namespace Bruma.Diffusion;

/// <summary>The config of diffusers' DiTTransformer2DModel, with its keys and defaults.</summary>
/// <param name="OutChannels">Twice the input's where the variance is predicted too; null for the input's.</param>
/// <param name="SampleSize">Side of the latents for which the positions were made.</param>
/// <param name="NumEmbedsAdaNorm">K classes; index K is the null class of classifier-free guidance.</param>
/// <param name="NormElementwiseAffine">Whether the norm before the feed-forward layer has weights of its own.</param>
public sealed record DiTConfig(
    int NumAttentionHeads = 16,
    int AttentionHeadDim = 72,
    int InChannels = 4,
    int? OutChannels = null,
    int NumLayers = 28,
    double Dropout = 0,
    int NormNumGroups = 32,
    bool AttentionBias = true,
    int SampleSize = 32,
    int PatchSize = 2,
    string ActivationFn = "gelu-approximate",
    int NumEmbedsAdaNorm = 1000,
    bool UpcastAttention = false,
    string NormType = "ada_norm_zero",
    bool NormElementwiseAffine = false,
    double NormEps = 1e-5) : ICheckedConfig
{
    /// <summary>D, the width of the tokens.</summary>
    internal int Width => NumAttentionHeads * AttentionHeadDim;

    public void Check(ConfigCheck check)
    {
        check.OneOf("norm_type", NormType, "ada_norm_zero");
        check.OneOf("activation_fn", ActivationFn, "gelu-approximate", "gelu");
        check.Require(NumAttentionHeads > 0, "num_attention_heads", NumAttentionHeads, "a number above 0");
        check.Require(Width > 0 && Width % 4 == 0, "attention_head_dim", AttentionHeadDim, "a number above 0 that makes the width of all heads divisible by 4");
        check.Require(InChannels > 0, "in_channels", InChannels, "a number above 0");
        check.Require(NumLayers > 0, "num_layers", NumLayers, "a number above 0");
        check.Require(PatchSize > 0, "patch_size", PatchSize, "a number above 0");
        check.Require(SampleSize >= PatchSize, "sample_size", SampleSize, $"at least \"patch_size\", {PatchSize}");
        check.Require(NumEmbedsAdaNorm > 0, "num_embeds_ada_norm", NumEmbedsAdaNorm, "the number of classes");
        check.Require(Dropout is >= 0 and < 1, "dropout", Dropout, "a probability from 0 to below 1");
    }
}
