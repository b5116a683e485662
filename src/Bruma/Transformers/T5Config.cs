using System.Text.Json.Serialization;
using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.Transformers;

/// <summary>The config of transformers' T5, with its keys and defaults.</summary>
/// <param name="NumDecoderLayers">Null for as many as the encoder's.</param>
/// <param name="FeedForwardProj">The activation, with <c>gated-</c> before it where there is a gate.</param>
/// <param name="TieWordEmbeddings">Whether the output layer is the table of token vectors, with the states scaled by 1 / √D.</param>
public sealed record T5Config(
    int VocabSize = 32128,
    int DModel = 512,
    int DKv = 64,
    int DFf = 2048,
    int NumLayers = 6,
    int? NumDecoderLayers = null,
    int NumHeads = 8,
    int RelativeAttentionNumBuckets = 32,
    int RelativeAttentionMaxDistance = 128,
    double DropoutRate = 0.1,
    double LayerNormEpsilon = 1e-6,
    string FeedForwardProj = "relu",
    bool TieWordEmbeddings = true,
    int PadTokenId = 0,
    int? DecoderStartTokenId = null) : ICheckedConfig
{
    private const string Gated = "gated-";

    [JsonIgnore]
    public bool IsGated => FeedForwardProj.StartsWith(Gated, StringComparison.Ordinal);

    /// <summary>The activation's name; "gated-gelu" has always meant the approximation.</summary>
    [JsonIgnore]
    public string ActivationName => FeedForwardProj == "gated-gelu" ? "gelu_new" : IsGated ? FeedForwardProj[Gated.Length..] : FeedForwardProj;

    public void Check(ConfigCheck check)
    {
        check.Require(Activation.TransformerNames.Contains(ActivationName), "feed_forward_proj", FeedForwardProj, $"one of {string.Join(", ", Activation.TransformerNames)}, also with \"gated-\" before it");
        check.Require(VocabSize > 0, "vocab_size", VocabSize, "a number above 0");
        check.Require(NumHeads > 0, "num_heads", NumHeads, "a number above 0");
        check.Require(RelativeAttentionNumBuckets >= 4, "relative_attention_num_buckets", RelativeAttentionNumBuckets, "at least 4");
        check.Require(RelativeAttentionMaxDistance > RelativeAttentionNumBuckets / 2, "relative_attention_max_distance", RelativeAttentionMaxDistance, "more than half of \"relative_attention_num_buckets\"");
        check.Require(DropoutRate is >= 0 and < 1, "dropout_rate", DropoutRate, "a probability from 0 to below 1");
    }
}
