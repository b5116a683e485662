using System.Text.Json;
using Bruma.Adapters;
using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;
using Bruma.Training;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Kinds <c>lora_train</c>, <c>dreambooth</c> and <c>textual_inversion</c>: a U-Net adapted by the same parts that a run uses.</summary>
internal static class AdaptationKinds
{
    public static void Lora(GoldenCase golden, CaseReport report)
    {
        var spec = golden.Spec;
        foreach (var isCheckpointed in new[] { false, true })
        {
            using var network = UNet2DConditionModel.Load(golden.PathOf(spec.GetProperty("unet").GetString()!));
            network.IsCheckpointed = isCheckpointed;
            using var random = new Generator(0, CPU);
            var targets = spec.GetProperty("target_modules").EnumerateArray().Select(name => name.GetString()!).ToList();
            using var lora = new LoraNetwork([new LoraTargets("unet", network, targets)], new LoraOptions(spec.GetProperty("rank").GetInt32(), spec.GetProperty("alpha").GetDouble()), random);
            using (var start = new SafetensorsFile(golden.PathOf(spec.GetProperty("adapter").GetString()!)))
                ModuleWeights.Load(lora, start);
            var step = new LatentStep(network, Objective(spec));
            using (var trainer = Create(golden, lora, (batch, _) => step.Losses(Of(golden, batch)).mean()))
                Compare(report, spec, [.. trainer.Run(StoredBatch.From)]);
            CompareLora(golden, report, network, lora);
        }
    }

    public static void DreamBooth(GoldenCase golden, CaseReport report)
    {
        var spec = golden.Spec;
        using var network = UNet2DConditionModel.Load(golden.PathOf(spec.GetProperty("unet").GetString()!));
        var (step, weight) = (new LatentStep(network, Objective(spec)), spec.GetProperty("prior_loss_weight").GetDouble());
        var (instance, prior) = (new List<double>(), new List<double>());
        using var trainer = Create(golden, network, (batch, _) =>
        {
            var losses = step.Losses(Of(golden, batch));
            var (own, other) = PriorPreservation.Split(losses, (int)losses.shape[0] / 2);
            instance.Add(own.item<float>());
            prior.Add(other.item<float>());
            return PriorPreservation.Loss(losses, (int)losses.shape[0] / 2, weight);
        });
        var reports = trainer.Run(StoredBatch.From).ToList();
        report.Compare("instance_losses", [.. instance], TrainingKinds.Numbers(spec, "instance_losses"));
        report.Compare("prior_losses", [.. prior], TrainingKinds.Numbers(spec, "prior_losses"));
        report.Compare("grad_norms", [.. reports.Select(entry => entry.GradientNorm)], TrainingKinds.Numbers(spec, "grad_norms"));
        foreach (var (key, values) in trainer.Parameters.Named(trainer.Parameters.Master).Where(pair => golden.Has($"final.{pair.Key}")))
            report.Compare($"final.{key}", values);
    }

    public static void TextualInversion(GoldenCase golden, CaseReport report)
    {
        var spec = golden.Spec;
        using var network = UNet2DConditionModel.Load(golden.PathOf(spec.GetProperty("unet").GetString()!));
        using var encoder = ClipTextModel.Load(golden.PathOf(spec.GetProperty("text_encoder").GetString()!));
        foreach (var parameter in network.parameters().Concat(encoder.parameters()))
            parameter.requires_grad_(false);
        var (table, row) = (encoder.TokenEmbedding, spec.GetProperty("placeholder_token").GetInt64());
        using var learned = new LearnedVectors(table, [row], table.weight![row].unsqueeze(0));
        var (step, gradients, rows) = (new LatentStep(network, Objective(spec)), new List<Tensor>(), new List<Tensor>());
        using var trainer = Create(golden, learned, (batch, _) =>
        {
            var example = Of(golden, batch) with { Conditioning = new UNetConditioning(encoder.call(golden.Tensor("input_ids")[batch.Index], null).LastHiddenState) };
            var loss = step.Losses(example).mean();
            gradients.Add(autograd.grad([loss], [learned.Vectors], retain_graph: true)[0][0].detach().clone().DetachFromDisposeScope());
            return loss;
        });
        var reports = new List<StepReport>();
        foreach (var entry in trainer.Run(StoredBatch.From))
        {
            reports.Add(entry);
            rows.Add(learned.Vectors.detach()[0].clone());
        }
        Compare(report, spec, reports);
        report.Compare("row_gradients", stack(gradients));
        report.Compare("rows", stack(rows));
        report.Compare("other_rows", table.weight!.detach()[..(int)row]);
    }

    private static void CompareLora(GoldenCase golden, CaseReport report, UNet2DConditionModel network, LoraNetwork lora)
    {
        using var still = no_grad();
        foreach (var (key, values) in lora.state_dict().Where(pair => golden.Has($"final.{pair.Key}")))
            report.Compare($"final.{key}", values);
        foreach (var update in lora.Updates().Where(update => golden.Has($"delta.unet.{update.Layer}")))
            report.Compare($"delta.unet.{update.Layer}", update.Delta(network.get_parameter($"{update.Layer}.weight")!));
        using var merge = new LoraMerge(new Dictionary<string, Module> { ["unet"] = network });
        merge.Apply([(lora.Updates(), 1)]);
        lora.IsActive = false;
        report.Compare("merged_output", network.call(golden.Tensor("latents")[0], golden.Tensor("timesteps")[0], new UNetConditioning(golden.Tensor("encoder_hidden_states")[0])));
    }

    private static Trainer<StoredBatch> Create(GoldenCase golden, Module network, BatchLoss<StoredBatch> loss)
    {
        var (spec, optimizer) = (golden.Spec, golden.Spec.GetProperty("optimizer"));
        var options = TrainingKinds.Options(optimizer.GetProperty("name").GetString()!, optimizer);
        var clip = spec.TryGetProperty("max_grad_norm", out var norm) && norm.ValueKind == JsonValueKind.Number ? norm.GetDouble() : double.PositiveInfinity;
        return new Trainer<StoredBatch>(network, loss, new TrainerOptions((int)golden.Tensor("latents").shape[0], new LearningRateSchedule("constant", options.LearningRate), options, null, MaxGradientNorm: clip, DecaysAll: true));
    }

    private static LatentExamples Of(GoldenCase golden, StoredBatch batch) => new(
        golden.Tensor("latents")[batch.Index], golden.Tensor("noise")[batch.Index], golden.Tensor("timesteps")[batch.Index].to(int64),
        golden.Has("encoder_hidden_states") ? new UNetConditioning(golden.Tensor("encoder_hidden_states")[batch.Index]) : default);

    private static DiffusionObjective Objective(JsonElement spec)
    {
        var config = SchedulerConfig.Read(spec.GetProperty("scheduler"), "DDPMScheduler");
        return new DiffusionObjective(config.PredictionType, new NoiseSchedule(config));
    }

    private static void Compare(CaseReport report, JsonElement spec, IReadOnlyList<StepReport> reports)
    {
        report.Compare("losses", [.. reports.Select(entry => entry.Loss)], TrainingKinds.Numbers(spec, "losses"));
        if (spec.TryGetProperty("grad_norms", out _))
            report.Compare("grad_norms", [.. reports.Select(entry => entry.GradientNorm)], TrainingKinds.Numbers(spec, "grad_norms"));
    }
}
