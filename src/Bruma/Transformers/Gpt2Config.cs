using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.Transformers;

/// <summary>The config of transformers' GPT-2, with its keys and defaults.</summary>
/// <param name="NInner">Width of the feed-forward layers; null for four times <paramref name="NEmbd"/>.</param>
/// <param name="ScaleAttnByInverseLayerIdx">Whether scores are divided by the layer's number, counted from 1.</param>
public sealed record Gpt2Config(
    int VocabSize = 50257,
    int NPositions = 1024,
    int NEmbd = 768,
    int NLayer = 12,
    int NHead = 12,
    int? NInner = null,
    string ActivationFunction = "gelu_new",
    double ResidPdrop = 0.1,
    double EmbdPdrop = 0.1,
    double AttnPdrop = 0.1,
    double LayerNormEpsilon = 1e-5,
    bool ScaleAttnWeights = true,
    bool ScaleAttnByInverseLayerIdx = false,
    bool AddCrossAttention = false,
    bool TieWordEmbeddings = true) : ICheckedConfig
{
    /// <summary>Width of the feed-forward layers.</summary>
    internal int Inner => NInner ?? 4 * NEmbd;

    public void Check(ConfigCheck check)
    {
        check.OneOf("activation_function", ActivationFunction, Activation.TransformerNames);
        check.OneOf("add_cross_attention", AddCrossAttention, false);
        check.Require(VocabSize > 0, "vocab_size", VocabSize, "a number above 0");
        check.Require(NPositions > 0, "n_positions", NPositions, "a number above 0");
        check.Require(NHead > 0, "n_head", NHead, "a number above 0");
        check.Require(NEmbd > 0 && NEmbd % NHead == 0, "n_embd", NEmbd, $"a multiple of \"n_head\", {NHead}");
        foreach (var (key, value) in new[] { ("resid_pdrop", ResidPdrop), ("embd_pdrop", EmbdPdrop), ("attn_pdrop", AttnPdrop) })
            check.Require(value is >= 0 and < 1, key, value, "a probability from 0 to below 1");
    }
}
