using System.Text.Json.Serialization;
using Bruma.Hub;

namespace Bruma.Diffusion;

/// <summary>Configuration of <see cref="UNet2DModel"/>: the keys and defaults of diffusers' class.</summary>
/// <param name="SampleSize">Height and width of its pictures.</param>
/// <param name="AttentionHeadDim">Width of an attention head; null for one head.</param>
/// <param name="NumClassEmbeds">Rows of the class embedding; null for an unconditional network.</param>
public sealed record UNet2DConfig(
    int? SampleSize = null,
    int InChannels = 3,
    int OutChannels = 3,
    bool CenterInputSample = false,
    string TimeEmbeddingType = "positional",
    int? TimeEmbeddingDim = null,
    int FreqShift = 0,
    bool FlipSinToCos = true,
    IReadOnlyList<string>? DownBlockTypes = null,
    string? MidBlockType = "UNetMidBlock2D",
    IReadOnlyList<string>? UpBlockTypes = null,
    IReadOnlyList<int>? BlockOutChannels = null,
    int LayersPerBlock = 2,
    double MidBlockScaleFactor = 1,
    int DownsamplePadding = 1,
    string DownsampleType = "conv",
    string UpsampleType = "conv",
    double Dropout = 0,
    string ActFn = "silu",
    int? AttentionHeadDim = 8,
    int NormNumGroups = 32,
    int? AttnNormNumGroups = null,
    double NormEps = 1e-5,
    string ResnetTimeScaleShift = "default",
    bool AddAttention = true,
    string? ClassEmbedType = null,
    int? NumClassEmbeds = null,
    int? NumTrainTimesteps = null) : ICheckedConfig
{
    [JsonIgnore]
    public IReadOnlyList<int> Widths => BlockOutChannels ?? [224, 448, 672, 896];

    [JsonIgnore]
    public IReadOnlyList<string> Downs => DownBlockTypes ?? ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"];

    [JsonIgnore]
    public IReadOnlyList<string> Ups => UpBlockTypes ?? ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"];

    [JsonIgnore]
    public int TimeWidth => TimeEmbeddingDim ?? Widths[0] * 4;

    public void Check(ConfigCheck check)
    {
        check.OneOf("time_embedding_type", TimeEmbeddingType, "positional");
        check.OneOf("mid_block_type", MidBlockType, "UNetMidBlock2D", null);
        check.OneOf("downsample_type", DownsampleType, "conv");
        check.OneOf("upsample_type", UpsampleType, "conv");
        check.OneOf("act_fn", ActFn, "silu", "swish");
        check.OneOf("resnet_time_scale_shift", ResnetTimeScaleShift, "default", "scale_shift");
        check.OneOf("class_embed_type", ClassEmbedType, null, "timestep", "identity");
        foreach (var type in Downs)
            check.OneOf("down_block_types", type, "DownBlock2D", "AttnDownBlock2D");
        foreach (var type in Ups)
            check.OneOf("up_block_types", type, "UpBlock2D", "AttnUpBlock2D");
        check.Require(Downs.Count == Widths.Count, "down_block_types", Downs.Count, $"{Widths.Count} of them, as many as block_out_channels");
        check.Require(Ups.Count == Widths.Count, "up_block_types", Ups.Count, $"{Widths.Count} of them, as many as block_out_channels");
        foreach (var width in Widths)
            check.Require(width % NormNumGroups == 0, "norm_num_groups", NormNumGroups, $"a divisor of {width}, a width in block_out_channels");
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(UNet2DConfig))]
internal sealed partial class UNet2DJson : JsonSerializerContext;
