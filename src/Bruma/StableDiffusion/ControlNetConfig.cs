using System.Text.Json.Serialization;
using Bruma.Hub;

namespace Bruma.StableDiffusion;

/// <summary>The config of diffusers' ControlNetModel, with its keys and defaults; those that a U-Net has too mean what they mean there.</summary>
/// <param name="ConditioningChannels">Of the picture that steers.</param>
/// <param name="ControlnetConditioningChannelOrder"><c>rgb</c>, or <c>bgr</c> for networks that were trained so.</param>
/// <param name="ConditioningEmbeddingOutChannels">Widths of the picture's encoder; each but the first halves the resolution.</param>
/// <param name="GlobalPoolConditions">Whether residuals are averaged over their places.</param>
public sealed record ControlNetConfig(
    int InChannels = 4,
    int ConditioningChannels = 3,
    bool FlipSinToCos = true,
    double FreqShift = 0,
    string[]? DownBlockTypes = null,
    string? MidBlockType = "UNetMidBlock2DCrossAttn",
    PerLevel<bool>? OnlyCrossAttention = null,
    int[]? BlockOutChannels = null,
    int LayersPerBlock = 2,
    int DownsamplePadding = 1,
    double MidBlockScaleFactor = 1,
    string ActFn = "silu",
    int NormNumGroups = 32,
    double NormEps = 1e-5,
    int CrossAttentionDim = 1280,
    PerLevel<int[]>? TransformerLayersPerBlock = null,
    int? EncoderHidDim = null,
    string? EncoderHidDimType = null,
    PerLevel<int>? AttentionHeadDim = null,
    PerLevel<int>? NumAttentionHeads = null,
    bool UseLinearProjection = false,
    string? ClassEmbedType = null,
    string? AdditionEmbedType = null,
    int? AdditionTimeEmbedDim = null,
    int? NumClassEmbeds = null,
    bool UpcastAttention = false,
    string ResnetTimeScaleShift = "default",
    int? ProjectionClassEmbeddingsInputDim = null,
    string ControlnetConditioningChannelOrder = "rgb",
    int[]? ConditioningEmbeddingOutChannels = null,
    bool GlobalPoolConditions = false,
    int AdditionEmbedTypeNumHeads = 64) : ICheckedConfig
{
    public string[] DownBlockTypes { get; init; } = DownBlockTypes ?? ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"];

    public int[] BlockOutChannels { get; init; } = BlockOutChannels ?? [320, 640, 1280, 1280];

    public int[] ConditioningEmbeddingOutChannels { get; init; } = ConditioningEmbeddingOutChannels ?? [16, 32, 96, 256];

    [JsonConverter(typeof(BoolPerLevelConverter))]
    public PerLevel<bool> OnlyCrossAttention { get; init; } = OnlyCrossAttention ?? new(false);

    [JsonConverter(typeof(DepthPerLevelConverter))]
    public PerLevel<int[]> TransformerLayersPerBlock { get; init; } = TransformerLayersPerBlock ?? new([1]);

    [JsonConverter(typeof(IntPerLevelConverter))]
    public PerLevel<int> AttentionHeadDim { get; init; } = AttentionHeadDim ?? new(8);

    [JsonConverter(typeof(IntPerLevelConverter))]
    public PerLevel<int>? NumAttentionHeads { get; init; } = NumAttentionHeads;

    /// <summary>The U-Net of which this network is a copy as far as the middle.</summary>
    internal UNet2DConditionConfig UNet => new(
        InChannels: InChannels, FlipSinToCos: FlipSinToCos, FreqShift: FreqShift, DownBlockTypes: DownBlockTypes, MidBlockType: MidBlockType,
        UpBlockTypes: [.. DownBlockTypes.Select(_ => "UpBlock2D")], OnlyCrossAttention: OnlyCrossAttention, BlockOutChannels: BlockOutChannels,
        LayersPerBlock: new(LayersPerBlock), DownsamplePadding: DownsamplePadding, MidBlockScaleFactor: MidBlockScaleFactor, ActFn: ActFn, NormNumGroups: NormNumGroups,
        NormEps: NormEps, CrossAttentionDim: new(CrossAttentionDim), TransformerLayersPerBlock: TransformerLayersPerBlock, EncoderHidDim: EncoderHidDim,
        EncoderHidDimType: EncoderHidDimType, AttentionHeadDim: AttentionHeadDim, NumAttentionHeads: NumAttentionHeads, UseLinearProjection: UseLinearProjection,
        ClassEmbedType: ClassEmbedType, AdditionEmbedType: AdditionEmbedType, AdditionTimeEmbedDim: AdditionTimeEmbedDim, NumClassEmbeds: NumClassEmbeds,
        UpcastAttention: UpcastAttention, ResnetTimeScaleShift: ResnetTimeScaleShift, ProjectionClassEmbeddingsInputDim: ProjectionClassEmbeddingsInputDim);

    /// <summary>The config of a network that steers a U-Net.</summary>
    /// <param name="reduction">Pixels per latent along a side, a power of two: the picture's encoder has a level for each halving.</param>
    /// <exception cref="BrumaException">The U-Net has something that no ControlNet can copy.</exception>
    public static ControlNetConfig For(UNet2DConditionConfig network, int reduction)
    {
        RequirePlain(network);
        return new ControlNetConfig(
            InChannels: network.InChannels, FlipSinToCos: network.FlipSinToCos, FreqShift: network.FreqShift, DownBlockTypes: network.DownBlockTypes, MidBlockType: network.MidBlockType,
            OnlyCrossAttention: network.OnlyCrossAttention, BlockOutChannels: network.BlockOutChannels, LayersPerBlock: network.LayersPerBlock[0], DownsamplePadding: network.DownsamplePadding,
            MidBlockScaleFactor: network.MidBlockScaleFactor, ActFn: network.ActFn, NormNumGroups: network.NormNumGroups, NormEps: network.NormEps, CrossAttentionDim: network.CrossAttentionDim[0],
            TransformerLayersPerBlock: network.TransformerLayersPerBlock, AttentionHeadDim: network.AttentionHeadDim, UseLinearProjection: network.UseLinearProjection, ClassEmbedType: network.ClassEmbedType,
            AdditionEmbedType: network.AdditionEmbedType, AdditionTimeEmbedDim: network.AdditionTimeEmbedDim, NumClassEmbeds: network.NumClassEmbeds, UpcastAttention: network.UpcastAttention,
            ResnetTimeScaleShift: network.ResnetTimeScaleShift, ProjectionClassEmbeddingsInputDim: network.ProjectionClassEmbeddingsInputDim, ConditioningEmbeddingOutChannels: PictureWidths(reduction));
    }

    /// <summary>diffusers' widths, as many as the picture's encoder has levels.</summary>
    private static int[] PictureWidths(int reduction)
    {
        int[] widths = [16, 32, 96, 256];
        var levels = int.Log2(reduction) + 1;
        return [.. Enumerable.Range(0, levels).Select(level => widths[Math.Min(level, widths.Length - 1)])];
    }

    private static void RequirePlain(UNet2DConditionConfig network)
    {
        void Require(bool condition, string key, object? value)
        {
            if (!condition)
                throw new BrumaException($"UNet2DConditionModel: \"{key}\" is {value}, which a ControlNet's config cannot say; choose a base with one value for all levels.");
        }
        Require(network.LayersPerBlock.Distinct().Count() == 1, "layers_per_block", network.LayersPerBlock);
        Require(network.CrossAttentionDim.Distinct().Count() == 1, "cross_attention_dim", network.CrossAttentionDim);
        Require(network.TimeWidth == 4 * network.BlockOutChannels[0], "time_embedding_dim", network.TimeEmbeddingDim);
        Require(network.ConvInKernel == 3, "conv_in_kernel", network.ConvInKernel);
        Require(!network.CenterInputSample, "center_input_sample", "true");
        Require(!network.ClassEmbeddingsConcat, "class_embeddings_concat", "true");
    }

    public void Check(ConfigCheck check)
    {
        UNet.Check(check);
        check.OneOf("controlnet_conditioning_channel_order", ControlnetConditioningChannelOrder, "rgb", "bgr");
        check.Require(ConditioningChannels > 0, "conditioning_channels", ConditioningChannels, "a number above 0");
        check.Require(ConditioningEmbeddingOutChannels.Length > 0, "conditioning_embedding_out_channels", ConditioningEmbeddingOutChannels.Length, "at least one width");
    }
}
