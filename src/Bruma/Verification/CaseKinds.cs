namespace Bruma.Verification;

/// <summary>Runs one case and reports the comparisons. Throws <see cref="UnknownCaseException"/> for a class that Bruma does not have.</summary>
public delegate void CaseRunner(GoldenCase golden, CaseReport report);

/// <summary>The kinds of reference cases that this build knows.</summary>
public static class CaseKinds
{
    public static readonly IReadOnlyDictionary<string, CaseRunner> All = new Dictionary<string, CaseRunner>(StringComparer.Ordinal)
    {
        ["bad_file"] = BadFileKind.Run,
        ["clip_score"] = MetricKinds.Clip,
        ["attention_map"] = EmbeddingKinds.Attention,
        ["contextual_embedding"] = EmbeddingKinds.Contexts,
        ["diffusion_loss"] = LossKinds.Diffusion,
        ["edm_loss"] = LossKinds.EdmLoss,
        ["feature_metrics"] = MetricKinds.Features,
        ["flow_loss"] = LossKinds.Flow,
        ["frechet"] = MetricKinds.Frechet,
        ["diffaugment"] = GanKinds.Augmentation,
        ["gan_loss"] = GanKinds.Losses,
        ["gan_steps"] = GanStepsKind.Run,
        ["spectral_norm"] = GanKinds.Spectral,
        ["gradient_accumulation"] = TrainingKinds.GradientAccumulation,
        ["inception"] = DeepFeatureKinds.Inception,
        ["inception_score"] = MetricKinds.Inception,
        ["lpips"] = DeepFeatureKinds.Lpips,
        ["memorisation"] = MetricKinds.Copies,
        ["optimizer"] = TrainingKinds.Optimizers,
        ["pipeline"] = PipelineKind.Run,
        ["prompt_embeds"] = PromptKinds.Embeddings,
        ["prompt_weights"] = PromptKinds.Weights,
        ["sdxl_prompt_embeds"] = PromptKinds.XlEmbeddings,
        ["preprocess"] = ImageKinds.Preprocess,
        ["train_steps"] = TrainingKinds.Steps,
        ["rng"] = RngKind.Run,
        ["weights_file"] = WeightsFileKind.Run,
        ["weights_folder"] = WeightsFolderKind.Run,
        ["bert_finetune"] = TextTrainingKinds.BertFinetune,
        ["lm_train"] = TextTrainingKinds.LanguageModel,
        ["seq2seq_train"] = TextTrainingKinds.SequenceToSequence,
        ["generation"] = GenerationKinds.Generation,
        ["logits_processors"] = GenerationKinds.LogitsProcessors,
        ["ema"] = ScheduleKinds.Average,
        ["image"] = ImageKinds.Resize,
        ["image_features"] = ImageFeatureKind.Run,
        ["layerwise_lr"] = ScheduleKinds.LayerwiseRates,
        ["lora_train"] = AdaptationKinds.Lora,
        ["dreambooth"] = AdaptationKinds.DreamBooth,
        ["textual_inversion"] = AdaptationKinds.TextualInversion,
        ["lr_schedule"] = ScheduleKinds.LearningRates,
        ["model"] = ModelKind.Run,
        ["scheduler"] = SchedulerKind.Run,
        ["scheduler_config"] = SchedulerConfigKind.Run,
        ["ssim_psnr"] = MetricKinds.Pixels,
        ["sentence_embedding"] = EmbeddingKinds.Sentences,
        ["static_embedding"] = EmbeddingKinds.Static,
        ["single_file"] = SingleFileKind.Run,
        ["tokenizer"] = TokenizerKind.Run,
    };
}

/// <summary>The case asks for a class, scheduler or option that this build does not have: it counts as skipped.</summary>
public sealed class UnknownCaseException(string what) : Exception(what);
