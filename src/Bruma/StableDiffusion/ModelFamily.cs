using Bruma.Transformers;

namespace Bruma.StableDiffusion;

/// <summary>A text encoder of a family.</summary>
/// <param name="Component">Its folder in diffusers' layout: <c>text_encoder</c> or <c>text_encoder_2</c>.</param>
/// <param name="Prefix">What its names in single files begin with.</param>
/// <param name="IsOpenClip">Whether it has OpenCLIP's names and stacked projections there.</param>
/// <param name="IsProjected">Whether it is a CLIPTextModelWithProjection.</param>
/// <param name="PadToken">What its tokenizer fills prompts with.</param>
public sealed record EncoderLayout(string Component, string Prefix, bool IsOpenClip, ClipTextConfig Config, bool IsProjected, string PadToken)
{
    /// <summary>Whether names lack <c>text_model.</c>, as in the oldest files.</summary>
    public bool IsBare { get; init; }

    /// <summary>The folder of its tokenizer.</summary>
    public string Tokenizer => Component.Replace("text_encoder", "tokenizer", StringComparison.Ordinal);

    /// <summary>The class in <c>model_index.json</c>.</summary>
    public string ClassName => IsProjected ? "CLIPTextModelWithProjection" : "CLIPTextModel";
}

/// <summary>What the published checkpoints of a family of Stable Diffusion have in common: what a single file of weights does not say.</summary>
/// <param name="Name">sd1, sd2, sdxl or sdxl-refiner.</param>
/// <param name="Title">For people.</param>
/// <param name="Pipeline">The class in <c>model_index.json</c>.</param>
/// <param name="Scheduler">The class of its scheduler.</param>
/// <param name="Prediction">What its U-Net predicts: <c>epsilon</c> or <c>v_prediction</c>.</param>
public sealed record ModelFamily(
    string Name, string Title, string Pipeline, UNet2DConditionConfig UNet, AutoencoderKlConfig Autoencoder, IReadOnlyList<EncoderLayout> Encoders, string Scheduler, string Prediction)
{
    private const string Begin = "!";
    private const string End = "<|endoftext|>";

    private static readonly AutoencoderKlConfig PublishedAutoencoder = new(
        DownBlockTypes: ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
        UpBlockTypes: ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
        BlockOutChannels: [128, 256, 512, 512], LayersPerBlock: 2, SampleSize: 512);

    private static readonly AutoencoderKlConfig XlAutoencoder = PublishedAutoencoder with { SampleSize = 1024, ScalingFactor = 0.13025 };

    private static readonly ClipTextConfig ClipLarge = new(HiddenSize: 768, IntermediateSize: 3072, ProjectionDim: 768, NumAttentionHeads: 12, BosTokenId: 0, EosTokenId: 2);
    private static readonly ClipTextConfig OpenClipHuge = new(HiddenSize: 1024, IntermediateSize: 4096, NumHiddenLayers: 23, NumAttentionHeads: 16, HiddenAct: "gelu", BosTokenId: 0, EosTokenId: 2);
    private static readonly ClipTextConfig OpenClipBig = new(HiddenSize: 1280, IntermediateSize: 5120, ProjectionDim: 1280, NumHiddenLayers: 32, NumAttentionHeads: 20, HiddenAct: "gelu", BosTokenId: 0, EosTokenId: 2);

    private static readonly UNet2DConditionConfig FirstUNet = new(64, CrossAttentionDim: new(768));

    private static readonly UNet2DConditionConfig XlUNet = new(
        128, DownBlockTypes: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], UpBlockTypes: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        BlockOutChannels: [320, 640, 1280], CrossAttentionDim: new(2048), TransformerLayersPerBlock: [[1], [2], [10]], AttentionHeadDim: [5, 10, 20], UseLinearProjection: true,
        AdditionEmbedType: "text_time", AdditionTimeEmbedDim: 256, ProjectionClassEmbeddingsInputDim: 2816);

    /// <summary>Stable Diffusion 1.1 to 1.5 and what was fine-tuned from them.</summary>
    public static ModelFamily Sd1 { get; } = new(
        "sd1", "Stable Diffusion 1.x", "StableDiffusionPipeline", FirstUNet, PublishedAutoencoder,
        [new("text_encoder", "cond_stage_model.transformer.", false, ClipLarge, false, End)], "PNDMScheduler", "epsilon");

    /// <summary>Stable Diffusion 2.0 and 2.1.</summary>
    public static ModelFamily Sd2 { get; } = new(
        "sd2", "Stable Diffusion 2.x", "StableDiffusionPipeline",
        FirstUNet with { SampleSize = 96, CrossAttentionDim = new(1024), AttentionHeadDim = [5, 10, 20, 20], UseLinearProjection = true, UpcastAttention = true }, PublishedAutoencoder with { SampleSize = 768 },
        [new("text_encoder", "cond_stage_model.model.", true, OpenClipHuge, false, Begin)], "PNDMScheduler", "v_prediction");

    /// <summary>Stable Diffusion XL, the base.</summary>
    public static ModelFamily Sdxl { get; } = new(
        "sdxl", "Stable Diffusion XL", "StableDiffusionXLPipeline", XlUNet, XlAutoencoder,
        [
            new("text_encoder", "conditioner.embedders.0.transformer.", false, ClipLarge, false, End),
            new("text_encoder_2", "conditioner.embedders.1.model.", true, OpenClipBig, true, Begin),
        ],
        "EulerDiscreteScheduler", "epsilon");

    /// <summary>The refiner of Stable Diffusion XL.</summary>
    public static ModelFamily SdxlRefiner { get; } = new(
        "sdxl-refiner", "Stable Diffusion XL refiner", "StableDiffusionXLImg2ImgPipeline",
        XlUNet with
        {
            DownBlockTypes = ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
            UpBlockTypes = ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
            BlockOutChannels = [384, 768, 1536, 1536],
            CrossAttentionDim = new(1280),
            TransformerLayersPerBlock = new([4]),
            AttentionHeadDim = [6, 12, 24, 24],
            ProjectionClassEmbeddingsInputDim = 2560,
        },
        XlAutoencoder, [new("text_encoder_2", "conditioner.embedders.0.model.", true, OpenClipBig, true, Begin)], "EulerDiscreteScheduler", "epsilon");

    /// <summary>Whether no negative prompt means zeros (<c>force_zeros_for_empty_prompt</c>); only XL models ask, and the refiner was published without.</summary>
    public bool ZerosWithoutNegative => this != SdxlRefiner;

    /// <summary>All that single files are known of.</summary>
    public static IReadOnlyList<ModelFamily> All { get; } = [Sd1, Sd2, Sdxl, SdxlRefiner];
}
