using System.Text.Json;
using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.Transformers;

/// <summary>The config of transformers' BERT, with its keys and defaults.</summary>
/// <param name="ClassifierDropout">Before the classifier; null for <paramref name="HiddenDropoutProb"/>.</param>
/// <param name="Id2label">Names of the classes by index.</param>
/// <param name="ProblemType">Which loss; null when the labels tell.</param>
public sealed record BertConfig(
    int VocabSize = 30522,
    int HiddenSize = 768,
    int NumHiddenLayers = 12,
    int NumAttentionHeads = 12,
    int IntermediateSize = 3072,
    string HiddenAct = "gelu",
    double HiddenDropoutProb = 0.1,
    double AttentionProbsDropoutProb = 0.1,
    int MaxPositionEmbeddings = 512,
    int TypeVocabSize = 2,
    double LayerNormEps = 1e-12,
    int? PadTokenId = 0,
    string PositionEmbeddingType = "absolute",
    double? ClassifierDropout = null,
    bool IsDecoder = false,
    string? ProblemType = null,
    int? NumLabels = null,
    IReadOnlyDictionary<string, JsonElement>? Id2label = null) : ICheckedConfig
{
    /// <summary>K.</summary>
    public int Classes => Classification.Classes(Id2label, NumLabels);

    public void Check(ConfigCheck check)
    {
        check.OneOf("hidden_act", HiddenAct, Activation.TransformerNames);
        check.OneOf("position_embedding_type", PositionEmbeddingType, "absolute");
        check.OneOf("is_decoder", IsDecoder, false);
        Classification.Check(check, ProblemType);
        check.Require(NumAttentionHeads > 0, "num_attention_heads", NumAttentionHeads, "a number above 0");
        check.Require(HiddenSize > 0 && HiddenSize % NumAttentionHeads == 0, "hidden_size", HiddenSize, $"a multiple of \"num_attention_heads\", {NumAttentionHeads}");
        check.Require(PadTokenId is null || PadTokenId >= 0 && PadTokenId < VocabSize, "pad_token_id", PadTokenId, $"an id below \"vocab_size\", {VocabSize}");
        check.Require(HiddenDropoutProb is >= 0 and < 1, "hidden_dropout_prob", HiddenDropoutProb, "a probability from 0 to below 1");
        check.Require(AttentionProbsDropoutProb is >= 0 and < 1, "attention_probs_dropout_prob", AttentionProbsDropoutProb, "a probability from 0 to below 1");
    }
}
