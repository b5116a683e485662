using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bruma.Hub;

namespace Bruma.Recipes.Adaptation;

/// <summary>What a file of weights says about where it comes from.</summary>
/// <param name="BaseSha256">Of the base's U-Net weights.</param>
/// <param name="DataSha256">Over names and contents of the pictures.</param>
/// <param name="Pictures">Trained on.</param>
/// <param name="WeightsStep">The step whose weights these are: the best one where pictures were watched.</param>
/// <param name="Started">When the run began; only kohya's file tells.</param>
internal sealed record AdaptationNotes(AdaptationOptions Options, string BaseSha256, string DataSha256, int Pictures, long WeightsStep, DateTime Started)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The same for equal arguments: no time, no path.</summary>
    public IReadOnlyDictionary<string, string> Settings => new Dictionary<string, string>
    {
        ["bruma_base_sha256"] = BaseSha256,
        ["bruma_data_sha256"] = DataSha256,
        ["bruma_step"] = Text(WeightsStep),
        ["bruma_settings"] = Pathless().ToJsonString(),
    };

    /// <summary>kohya's keys, all texts.</summary>
    public IReadOnlyDictionary<string, string> Kohya(bool isXl) => new SortedDictionary<string, string>(new Dictionary<string, string>
    {
        ["ss_network_module"] = "networks.lora",
        ["ss_network_dim"] = Text(Options.Rank),
        ["ss_network_alpha"] = Text(Options.Alpha ?? Options.Rank),
        ["ss_network_dropout"] = Text(Options.LoraDropout),
        ["ss_base_model_version"] = isXl ? "sdxl_base_v1-0" : "sd_v1",
        ["ss_sd_model_name"] = Path.GetFileName(Options.Model.TrimEnd('/')),
        ["ss_sd_model_hash"] = BaseSha256[..8],
        ["ss_new_sd_model_hash"] = BaseSha256,
        ["ss_learning_rate"] = Text(Options.LearningRate),
        ["ss_unet_lr"] = Text(Options.LearningRate),
        ["ss_text_encoder_lr"] = Options.TrainTextEncoder ? Text(Options.LearningRate) : "None",
        ["ss_lr_scheduler"] = Options.LrSchedule,
        ["ss_lr_warmup_steps"] = Text(Options.LrWarmupSteps),
        ["ss_optimizer"] = "AdamW",
        ["ss_seed"] = Text(Options.Seed),
        ["ss_num_train_images"] = Text(Pictures),
        ["ss_max_train_steps"] = Text(Options.Steps),
        ["ss_steps"] = Text(WeightsStep),
        ["ss_epoch"] = Text(WeightsStep * Options.BatchSize * Options.GradientAccumulationSteps / Math.Max(1, Pictures)),
        ["ss_resolution"] = FormattableString.Invariant($"({Options.Resolution}, {Options.Resolution})"),
        ["ss_enable_bucket"] = Options.AspectBuckets ? "True" : "False",
        ["ss_batch_size_per_device"] = Text(Options.BatchSize),
        ["ss_gradient_accumulation_steps"] = Text(Options.GradientAccumulationSteps),
        ["ss_gradient_checkpointing"] = Options.GradientCheckpointing ? "True" : "False",
        ["ss_mixed_precision"] = Options.Precision == "bf16" ? "bf16" : "no",
        ["ss_caption_dropout_rate"] = Text(Options.CaptionDropout),
        ["ss_min_snr_gamma"] = Options.MinSnrGamma is { } gamma ? Text(gamma) : "None",
        ["ss_noise_offset"] = Options.NoiseOffset > 0 ? Text(Options.NoiseOffset) : "None",
        ["ss_tag_frequency"] = "{}",
        ["ss_dataset_dirs"] = JsonSerializer.Serialize(new Dictionary<string, object> { [Path.GetFileName(Options.Data.TrimEnd('/'))] = new { n_repeats = 1, img_count = Pictures } }),
        ["ss_output_name"] = "kohya",
        ["ss_training_started_at"] = Text(Seconds(Started)),
        ["ss_training_finished_at"] = Text(Seconds(DateTime.UtcNow)),
    }, StringComparer.Ordinal);

    public string ToJson() => new JsonObject { ["base_sha256"] = BaseSha256, ["data_sha256"] = DataSha256, ["step"] = WeightsStep, ["settings"] = Pathless() }.ToJsonString(Indented) + "\n";

    /// <summary>When a run began, from its provenance.</summary>
    public static DateTime StartOf(string folder)
    {
        using var json = PythonJson.ParseFile(Path.Combine(folder, "provenance.json"));
        return json.RootElement.TryGetProperty("started", out var started) && DateTime.TryParse(started.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var time) ? time : DateTime.UtcNow;
    }

    /// <summary>The settings that decide the numbers.</summary>
    private JsonObject Pathless()
    {
        var json = JsonSerializer.SerializeToNode(Options, AdaptationOptionsJson.Default.AdaptationOptions)!.AsObject();
        foreach (var key in new[] { "model", "data", "replay", "class_data", "threads", "gradient_checkpointing", "checkpoint_every", "checkpoints_total_limit", "sample_every", "sample_prompts", "report_samples" })
            json.Remove(key);
        return json;
    }

    private static double Seconds(DateTime time) => Math.Round((time - DateTime.UnixEpoch).TotalSeconds, 3);

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
