using System.Text.Json.Serialization;
using Bruma.Diffusion;
using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.StableDiffusion;

/// <summary>The config of diffusers' UNet2DConditionModel, with its keys and defaults.</summary>
/// <param name="InChannels">The latents' channels (4 in Stable Diffusion); for inpainting checkpoints twice as many and one more (9), for InstructPix2Pix twice as many (8).</param>
/// <param name="BlockOutChannels">From the highest resolution to the lowest.</param>
/// <param name="UpBlockTypes">From the lowest resolution to the highest.</param>
/// <param name="OnlyCrossAttention">Whether the first attention of each transformer block looks at the context too.</param>
/// <param name="CrossAttentionDim">Width of the context: 768 (SD 1.x), 1024 (SD 2.x), 2048 (SDXL).</param>
/// <param name="TransformerLayersPerBlock">Depth of the transformers, per level or per layer of a level.</param>
/// <param name="ReverseTransformerLayersPerBlock">The same on the way up; null for the mirror of the way down.</param>
/// <param name="AttentionHeadDim">In spite of its name the <em>number</em> of heads.</param>
/// <param name="UseLinearProjection">Whether transformers are entered and left by linear layers instead of 1x1 convolutions.</param>
/// <param name="ClassEmbedType">null (see <paramref name="NumClassEmbeds"/>), <c>timestep</c>, <c>identity</c>, <c>projection</c> or <c>simple_projection</c>.</param>
/// <param name="AdditionEmbedType">null, or <c>text_time</c> for SDXL's pooled text and sizes.</param>
/// <param name="AdditionTimeEmbedDim">Width to which each of SDXL's sizes is encoded.</param>
/// <param name="UpcastAttention">Whether fp16 is too narrow for the attention; bf16 and fp32 are not.</param>
/// <param name="TimeCondProjDim">Width of the guidance embedding of latent consistency models; null for none.</param>
/// <param name="ProjectionClassEmbeddingsInputDim">Width of the added conditions, or of class labels that are projected.</param>
public sealed record UNet2DConditionConfig(
    SampleSize? SampleSize = null,
    int InChannels = 4,
    int OutChannels = 4,
    bool CenterInputSample = false,
    bool FlipSinToCos = true,
    double FreqShift = 0,
    string[]? DownBlockTypes = null,
    string? MidBlockType = "UNetMidBlock2DCrossAttn",
    string[]? UpBlockTypes = null,
    PerLevel<bool>? OnlyCrossAttention = null,
    int[]? BlockOutChannels = null,
    PerLevel<int>? LayersPerBlock = null,
    int DownsamplePadding = 1,
    double MidBlockScaleFactor = 1,
    double Dropout = 0,
    string ActFn = "silu",
    int NormNumGroups = 32,
    double NormEps = 1e-5,
    PerLevel<int>? CrossAttentionDim = null,
    PerLevel<int[]>? TransformerLayersPerBlock = null,
    PerLevel<int[]>? ReverseTransformerLayersPerBlock = null,
    int? EncoderHidDim = null,
    string? EncoderHidDimType = null,
    PerLevel<int>? AttentionHeadDim = null,
    PerLevel<int>? NumAttentionHeads = null,
    bool DualCrossAttention = false,
    bool UseLinearProjection = false,
    string? ClassEmbedType = null,
    string? AdditionEmbedType = null,
    int? AdditionTimeEmbedDim = null,
    int? NumClassEmbeds = null,
    bool UpcastAttention = false,
    string ResnetTimeScaleShift = "default",
    bool ResnetSkipTimeAct = false,
    double ResnetOutScaleFactor = 1,
    string TimeEmbeddingType = "positional",
    int? TimeEmbeddingDim = null,
    string? TimeEmbeddingActFn = null,
    string? TimestepPostAct = null,
    int? TimeCondProjDim = null,
    int ConvInKernel = 3,
    int ConvOutKernel = 3,
    int? ProjectionClassEmbeddingsInputDim = null,
    string AttentionType = "default",
    bool ClassEmbeddingsConcat = false,
    bool? MidBlockOnlyCrossAttention = null,
    string? CrossAttentionNorm = null,
    int AdditionEmbedTypeNumHeads = 64) : ICheckedConfig
{
    private const string CrossMidBlock = "UNetMidBlock2DCrossAttn";

    public string[] DownBlockTypes { get; init; } = DownBlockTypes ?? ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"];

    public string[] UpBlockTypes { get; init; } = UpBlockTypes ?? ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"];

    [JsonConverter(typeof(BoolPerLevelConverter))]
    public PerLevel<bool> OnlyCrossAttention { get; init; } = OnlyCrossAttention ?? new(false);

    public int[] BlockOutChannels { get; init; } = BlockOutChannels ?? [320, 640, 1280, 1280];

    [JsonConverter(typeof(IntPerLevelConverter))]
    public PerLevel<int> LayersPerBlock { get; init; } = LayersPerBlock ?? new(2);

    [JsonConverter(typeof(IntPerLevelConverter))]
    public PerLevel<int> CrossAttentionDim { get; init; } = CrossAttentionDim ?? new(1280);

    [JsonConverter(typeof(DepthPerLevelConverter))]
    public PerLevel<int[]> TransformerLayersPerBlock { get; init; } = TransformerLayersPerBlock ?? new([1]);

    [JsonConverter(typeof(DepthPerLevelConverter))]
    public PerLevel<int[]>? ReverseTransformerLayersPerBlock { get; init; } = ReverseTransformerLayersPerBlock;

    [JsonConverter(typeof(IntPerLevelConverter))]
    public PerLevel<int> AttentionHeadDim { get; init; } = AttentionHeadDim ?? new(8);

    [JsonConverter(typeof(IntPerLevelConverter))]
    public PerLevel<int>? NumAttentionHeads { get; init; } = NumAttentionHeads;

    internal int Levels => BlockOutChannels.Length;

    /// <summary>Width of the time embedding.</summary>
    internal int TimeWidth => TimeEmbeddingDim ?? 4 * BlockOutChannels[0];

    /// <summary>Width of what residual blocks see.</summary>
    internal int ConditionWidth => ClassEmbeddingsConcat ? 2 * TimeWidth : TimeWidth;

    /// <summary>Whether it sees a mask and the masked picture beside the latents.</summary>
    internal bool IsInpainting => InChannels == 2 * OutChannels + 1;

    /// <summary>Whether it sees the picture that an instruction changes beside the latents.</summary>
    internal bool IsInstruction => InChannels == 2 * OutChannels;

    internal bool HasClasses => ClassEmbedType is not null || NumClassEmbeds is not null;

    internal bool HasAddedConditions => AdditionEmbedType is not null;

    public void Check(ConfigCheck check)
    {
        CheckKinds(check);
        CheckUnimplemented(check);
        UNetConfigChecks.Sizes(this, check);
    }

    private void CheckKinds(ConfigCheck check)
    {
        check.OneOf("mid_block_type", MidBlockType, CrossMidBlock, null);
        check.OneOf("act_fn", ActFn, Activation.Names);
        check.OneOf("resnet_time_scale_shift", ResnetTimeScaleShift, "default", "scale_shift");
        check.OneOf("class_embed_type", ClassEmbedType, null, "timestep", "identity", "projection", "simple_projection");
        check.OneOf("addition_embed_type", AdditionEmbedType, null, "text_time");
        check.OneOf("downsample_padding", DownsamplePadding, 0, 1);
        foreach (var block in DownBlockTypes)
            check.OneOf("down_block_types", block, "DownBlock2D", "CrossAttnDownBlock2D");
        foreach (var block in UpBlockTypes)
            check.OneOf("up_block_types", block, "UpBlock2D", "CrossAttnUpBlock2D");
    }

    private void CheckUnimplemented(ConfigCheck check)
    {
        check.OneOf("time_embedding_type", TimeEmbeddingType, "positional");
        check.OneOf("attention_type", AttentionType, "default");
        check.OneOf("num_attention_heads", NumAttentionHeads, [null]);
        check.OneOf("encoder_hid_dim_type", EncoderHidDimType, [null]);
        check.OneOf("encoder_hid_dim", EncoderHidDim, [null]);
        check.OneOf("time_embedding_act_fn", TimeEmbeddingActFn, [null]);
        check.OneOf("timestep_post_act", TimestepPostAct, [null]);
        check.OneOf("cross_attention_norm", CrossAttentionNorm, [null]);
        check.OneOf("dual_cross_attention", DualCrossAttention, false);
        check.OneOf("resnet_skip_time_act", ResnetSkipTimeAct, false);
        check.OneOf("resnet_out_scale_factor", ResnetOutScaleFactor, 1);
    }
}
