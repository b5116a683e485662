using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.Diffusion;

/// <summary>The config of diffusers' UNet2DModel, with its keys and defaults.</summary>
/// <param name="SampleSize">Height and width for which the network was made; it takes any.</param>
/// <param name="CenterInputSample">Whether samples come in [0, 1] and are moved to [-1, 1] inside.</param>
/// <param name="TimeEmbeddingType"><c>positional</c>, <c>fourier</c> (times are noise levels, by which the output is divided) or <c>learned</c>.</param>
/// <param name="TimeEmbeddingDim">Width of the time embedding; null for four times the first of <paramref name="BlockOutChannels"/>.</param>
/// <param name="FreqShift">See <see cref="TimeEncoding.Sinusoidal"/>.</param>
/// <param name="FlipSinToCos">Whether the cosines come first.</param>
/// <param name="MidBlockType"><c>UNetMidBlock2D</c> or null for none.</param>
/// <param name="UpBlockTypes">From the lowest resolution to the highest.</param>
/// <param name="MidBlockScaleFactor">What the sums of the middle block are divided by.</param>
/// <param name="DownsamplePadding">0 pads only below and to the right.</param>
/// <param name="DownsampleType"><c>conv</c> or <c>resnet</c>, of blocks with attention.</param>
/// <param name="UpsampleType">The same on the way up.</param>
/// <param name="AttentionHeadDim">The width of a head; null for one head.</param>
/// <param name="AttnNormNumGroups">Groups of the norm before the middle block's attention.</param>
/// <param name="ResnetTimeScaleShift"><c>default</c> (the time is added) or <c>scale_shift</c>.</param>
/// <param name="AddAttention">Whether the middle block has attention.</param>
/// <param name="ClassEmbedType">null (see <paramref name="NumClassEmbeds"/>), <c>timestep</c> (labels are encoded as times are) or <c>identity</c> (labels are embeddings).</param>
/// <param name="NumClassEmbeds">Classes with a learned embedding; null for none.</param>
/// <param name="NumTrainTimesteps">Of the <c>learned</c> time embedding.</param>
public sealed record UNet2DConfig(
    SampleSize? SampleSize = null,
    int InChannels = 3,
    int OutChannels = 3,
    bool CenterInputSample = false,
    string TimeEmbeddingType = "positional",
    int? TimeEmbeddingDim = null,
    double FreqShift = 0,
    bool FlipSinToCos = true,
    string[]? DownBlockTypes = null,
    string? MidBlockType = "UNetMidBlock2D",
    string[]? UpBlockTypes = null,
    int[]? BlockOutChannels = null,
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
    public string[] DownBlockTypes { get; init; } = DownBlockTypes ?? ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"];

    public string[] UpBlockTypes { get; init; } = UpBlockTypes ?? ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"];

    public int[] BlockOutChannels { get; init; } = BlockOutChannels ?? [224, 448, 672, 896];

    /// <summary>Width of the vector that all blocks see.</summary>
    internal int TimeWidth => TimeEmbeddingDim ?? 4 * BlockOutChannels[0];

    /// <summary>Whether the network asks for class labels.</summary>
    internal bool HasClasses => ClassEmbedType is not null || NumClassEmbeds is not null;

    public void Check(ConfigCheck check)
    {
        check.OneOf("time_embedding_type", TimeEmbeddingType, "positional", "fourier", "learned");
        check.OneOf("mid_block_type", MidBlockType, "UNetMidBlock2D", null);
        check.OneOf("downsample_type", DownsampleType, "conv", "resnet");
        check.OneOf("upsample_type", UpsampleType, "conv", "resnet");
        check.OneOf("act_fn", ActFn, Activation.Names);
        check.OneOf("resnet_time_scale_shift", ResnetTimeScaleShift, "default", "scale_shift");
        check.OneOf("class_embed_type", ClassEmbedType, null, "timestep", "identity");
        check.OneOf("downsample_padding", DownsamplePadding, 0, 1);
        foreach (var block in DownBlockTypes)
            check.OneOf("down_block_types", block, "DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D");
        foreach (var block in UpBlockTypes)
            check.OneOf("up_block_types", block, "UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D");
        CheckSizes(check);
    }

    private void CheckSizes(ConfigCheck check)
    {
        check.Require(BlockOutChannels.Length > 0 && BlockOutChannels.Length == DownBlockTypes.Length, "down_block_types", DownBlockTypes.Length, $"as many as \"block_out_channels\", {BlockOutChannels.Length}");
        check.Require(BlockOutChannels.Length == UpBlockTypes.Length, "up_block_types", UpBlockTypes.Length, $"as many as \"block_out_channels\", {BlockOutChannels.Length}");
        foreach (var channels in BlockOutChannels)
            check.Require(channels > 0, "block_out_channels", channels, "widths above 0");
        check.Require(InChannels > 0, "in_channels", InChannels, "a number above 0");
        check.Require(OutChannels > 0, "out_channels", OutChannels, "a number above 0");
        check.Require(LayersPerBlock > 0, "layers_per_block", LayersPerBlock, "a number above 0");
        check.Require(TimeWidth > 0, "time_embedding_dim", TimeEmbeddingDim, "a number above 0");
        check.Require(MidBlockScaleFactor != 0, "mid_block_scale_factor", MidBlockScaleFactor, "a number other than 0");
        check.Require(Dropout is >= 0 and < 1, "dropout", Dropout, "a probability from 0 to below 1");
        check.Require(NumClassEmbeds is null or > 0, "num_class_embeds", NumClassEmbeds, "a number above 0 or null");
        check.Require(TimeEmbeddingType != "learned" || NumTrainTimesteps > 0, "num_train_timesteps", NumTrainTimesteps, "the number of timesteps, since \"time_embedding_type\" is \"learned\"");
    }
}
