using System.Text.Json.Serialization;
using Bruma.Hub;

namespace Bruma.Transformers;

/// <summary>Sizes of the encoder and decoder, by the argument names of torch.nn.Transformer.</summary>
/// <param name="NormFirst">Whether the norms are before attention and feed-forward (arXiv:2002.04745) instead of behind the residuals.</param>
public sealed record TransformerPlan(
    int DModel = 512,
    int Nhead = 8,
    int NumEncoderLayers = 6,
    int NumDecoderLayers = 6,
    int DimFeedforward = 2048,
    double Dropout = 0.1,
    string Activation = "relu",
    double LayerNormEps = 1e-5,
    bool NormFirst = false) : ICheckedConfig
{
    /// <summary>d.</summary>
    [JsonIgnore]
    public int HeadWidth => DModel / Nhead;

    internal AttentionPlan Attention => new(DModel, Nhead, Dropout: Dropout);

    public void Check(ConfigCheck check)
    {
        check.OneOf("activation", Activation, Nn.Activation.TransformerNames);
        check.Require(Nhead > 0, "nhead", Nhead, "a number above 0");
        check.Require(DModel > 0 && DModel % Nhead == 0, "d_model", DModel, $"a multiple of \"nhead\", {Nhead}");
        check.Require(NumEncoderLayers > 0, "num_encoder_layers", NumEncoderLayers, "a number above 0");
        check.Require(NumDecoderLayers > 0, "num_decoder_layers", NumDecoderLayers, "a number above 0");
        check.Require(Dropout is >= 0 and < 1, "dropout", Dropout, "a probability from 0 to below 1");
    }
}
