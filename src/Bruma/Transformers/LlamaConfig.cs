using System.Text.Json.Serialization;
using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.Transformers;

/// <summary>How rotary frequencies are stretched for longer texts.</summary>
/// <param name="RopeType">default, linear or llama3.</param>
/// <param name="Type">Older name of <paramref name="RopeType"/>.</param>
/// <param name="RopeTheta">Base of the frequencies, where the file has it here.</param>
public sealed record RopeScaling(
    string? RopeType = null,
    string? Type = null,
    double Factor = 1,
    double LowFreqFactor = 1,
    double HighFreqFactor = 4,
    double OriginalMaxPositionEmbeddings = 8192,
    double? RopeTheta = null)
{
    /// <summary>What this build implements.</summary>
    internal static readonly string[] Kinds = ["default", "linear", "llama3"];

    [JsonIgnore]
    public string Kind => RopeType ?? Type ?? "default";
}

/// <summary>The config of transformers' Llama, with its keys and defaults.</summary>
/// <param name="NumKeyValueHeads">Null for <paramref name="NumAttentionHeads"/>.</param>
/// <param name="HeadDim">Null for the width divided by the heads.</param>
/// <param name="RopeParameters">What newer files have in place of <paramref name="RopeScaling"/> and <paramref name="RopeTheta"/>.</param>
public sealed record LlamaConfig(
    int VocabSize = 32000,
    int HiddenSize = 4096,
    int IntermediateSize = 11008,
    int NumHiddenLayers = 32,
    int NumAttentionHeads = 32,
    int? NumKeyValueHeads = null,
    int? HeadDim = null,
    string HiddenAct = "silu",
    int MaxPositionEmbeddings = 2048,
    double RmsNormEps = 1e-6,
    double RopeTheta = 10000,
    RopeScaling? RopeScaling = null,
    RopeScaling? RopeParameters = null,
    bool AttentionBias = false,
    bool MlpBias = false,
    double AttentionDropout = 0,
    bool TieWordEmbeddings = false) : ICheckedConfig
{
    internal RotaryFrequencies Frequencies => RotaryFrequencies.Create(HeadDim ?? HiddenSize / NumAttentionHeads, RopeParameters?.RopeTheta ?? RopeTheta, RopeParameters ?? RopeScaling);

    public void Check(ConfigCheck check)
    {
        check.OneOf("hidden_act", HiddenAct, Activation.TransformerNames);
        check.OneOf("rope_type", (RopeParameters ?? RopeScaling)?.Kind ?? "default", Transformers.RopeScaling.Kinds);
        check.Require(NumAttentionHeads > 0, "num_attention_heads", NumAttentionHeads, "a number above 0");
        check.Require(HeadDim is not null || HiddenSize % NumAttentionHeads == 0, "hidden_size", HiddenSize, $"a multiple of \"num_attention_heads\", {NumAttentionHeads}");
        check.Require(NumKeyValueHeads is null || NumKeyValueHeads > 0 && NumAttentionHeads % NumKeyValueHeads == 0, "num_key_value_heads", NumKeyValueHeads, $"a divisor of \"num_attention_heads\", {NumAttentionHeads}");
        check.Require(AttentionDropout is >= 0 and < 1, "attention_dropout", AttentionDropout, "a probability from 0 to below 1");
    }
}
