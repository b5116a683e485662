using Bruma.Diffusion;
using Bruma.StableDiffusion;
using Bruma.Transformers;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>The networks that this build can load, by the class names of checkpoints.</summary>
public static class ModelClasses
{
    /// <summary>Each takes a folder and a variant (null for none) and loads by the class's own loader, into fp32.</summary>
    public static readonly IReadOnlyDictionary<string, Func<string, string?, Module>> All = new Dictionary<string, Func<string, string?, Module>>(StringComparer.Ordinal)
    {
        ["AutoencoderKL"] = AutoencoderKl.Load,
        [nameof(AutoencoderTiny)] = AutoencoderTiny.Load,
        [nameof(ControlNetModel)] = ControlNetModel.Load,
        [nameof(UNet2DConditionModel)] = UNet2DConditionModel.Load,
        [nameof(UNet2DModel)] = UNet2DModel.Load,
        [nameof(DiTTransformer2DModel)] = DiTTransformer2DModel.Load,
        [nameof(BertForSequenceClassification)] = BertForSequenceClassification.Load,
        [nameof(BertModel)] = BertModel.Load,
        ["CLIPModel"] = ClipModel.Load,
        ["CLIPTextModel"] = ClipTextModel.Load,
        ["CLIPTextModelWithProjection"] = ClipTextModelWithProjection.Load,
        ["CLIPVisionModel"] = ClipVisionModel.Load,
        ["CLIPVisionModelWithProjection"] = ClipVisionModelWithProjection.Load,
        [nameof(DistilBertForSequenceClassification)] = DistilBertForSequenceClassification.Load,
        [nameof(DistilBertModel)] = DistilBertModel.Load,
        ["GPT2LMHeadModel"] = Gpt2LmHeadModel.Load,
        ["LlamaForCausalLM"] = LlamaForCausalLm.Load,
        [nameof(SequenceTransformer)] = SequenceTransformer.Load,
        [nameof(T5ForConditionalGeneration)] = T5ForConditionalGeneration.Load,
        [nameof(ViTForImageClassification)] = ViTForImageClassification.Load,
        [nameof(ViTModel)] = ViTModel.Load,
    };
}
