using System.Text.Json;
using Bruma.Training;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Kinds <c>bert_finetune</c>, <c>lm_train</c> and <c>seq2seq_train</c>: whole updates of text networks through the trainer that users call.</summary>
internal static class TextTrainingKinds
{
    public static void BertFinetune(GoldenCase golden, CaseReport report)
    {
        var spec = golden.Spec;
        using var network = BertForSequenceClassification.Load(golden.PathOf(spec.GetProperty("model").GetString()!));
        Freezing.Freeze(network, Texts(spec, "frozen"));
        var (ids, mask, types, labels) = (golden.Tensor("input_ids").to(int64), golden.Tensor("attention_mask"), golden.Tensor("token_type_ids").to(int64), golden.Tensor("labels").to(int64));
        var optimizer = Optimizer(spec);
        var noDecay = Texts(spec, "no_decay");
        Run(
            golden, report, network,
            batch => Classification.Loss(network.call(ids[batch], new TextPass(mask[batch], types[batch])).Logits, labels[batch], network.Config.ProblemType),
            Options(spec, (int)ids.shape[0], optimizer) with { Group = Freezing.DecayExcept(optimizer.WeightDecay, noDecay, noDecay) });
    }

    public static void LanguageModel(GoldenCase golden, CaseReport report)
    {
        using var network = Gpt2LmHeadModel.Load(golden.PathOf(golden.Spec.GetProperty("model").GetString()!));
        var (ids, labels) = (golden.Tensor("input_ids").to(int64), golden.Tensor("labels").to(int64));
        var mask = golden.Has("attention_mask") ? golden.Tensor("attention_mask") : null;
        Run(
            golden, report, network,
            batch => SequenceLoss.Next(network.call(ids[batch], new TextPass(mask?[batch])), labels[batch]),
            Options(golden.Spec, (int)ids.shape[0], Optimizer(golden.Spec)) with { DecaysAll = true });
    }

    public static void SequenceToSequence(GoldenCase golden, CaseReport report)
    {
        var (spec, config) = (golden.Spec, golden.Spec.GetProperty("config"));
        var layers = config.GetProperty("layers").GetInt32();
        var pad = spec.GetProperty("pad").GetInt32();
        using var network = new SequenceTransformer(new SequenceTransformerConfig(
            config.GetProperty("vocab").GetInt32(),
            new TransformerPlan(
                config.GetProperty("d_model").GetInt32(), config.GetProperty("nhead").GetInt32(), layers, layers, config.GetProperty("dim_feedforward").GetInt32(), 0,
                config.GetProperty("activation").GetString()!, NormFirst: config.GetProperty("norm_first").GetBoolean()),
            PadId: pad));
        StoredWeights.Fill(network, golden, "weights.");
        var (source, target) = (golden.Tensor("src").to(int64), golden.Tensor("tgt").to(int64));
        var smoothing = spec.GetProperty("label_smoothing").GetDouble();
        SequencePair Pair(int batch)
        {
            var input = target[batch].narrow(1, 0, target.shape[2] - 1);
            return new SequencePair(source[batch], source[batch] != pad, input, input != pad);
        }
        Run(
            golden, report, network,
            batch => SequenceLoss.Mean(network.call(Pair(batch)), target[batch].narrow(1, 1, target.shape[2] - 1), pad, smoothing),
            Options(spec, (int)source.shape[0], Optimizer(spec)));
        if (!golden.Has("final_logits"))
            return;
        network.eval();
        using var still = no_grad();
        var logits = network.call(Pair(0));
        report.Compare("final_logits", logits.narrow(1, 0, golden.Tensor("final_logits").shape[1]));
    }

    private static void Run(GoldenCase golden, CaseReport report, Module network, Func<int, Tensor> loss, TrainerOptions options)
    {
        using var trainer = new Trainer<StoredBatch>(network, (batch, _) => loss(batch.Index), options);
        var reports = trainer.Run(StoredBatch.From).ToList();
        report.Compare("losses", [.. reports.Select(step => step.Loss)], TrainingKinds.Numbers(golden.Spec, "losses"));
        report.Compare("grad_norms", [.. reports.Select(step => step.GradientNorm)], TrainingKinds.Numbers(golden.Spec, "grad_norms"));
        if (golden.Spec.TryGetProperty("lrs", out _))
            report.Compare("lrs", [.. reports.Select(step => step.LearningRate)], TrainingKinds.Numbers(golden.Spec, "lrs"));
        var final = network.named_parameters().ToDictionary(pair => $"final.{pair.name}", pair => pair.parameter.detach(), StringComparer.Ordinal);
        foreach (var name in golden.Names("final."))
            if (final.TryGetValue(name, out var values))
                report.Compare(name, values);
            else
                report.Fail($"{name}: {network.GetName()} has no such parameter");
    }

    private static TrainerOptions Options(JsonElement spec, int batches, OptimizerOptions optimizer)
    {
        var accumulation = Math.Max(1, TrainingKinds.Whole(spec, "gradient_accumulation"));
        var clip = spec.TryGetProperty("max_grad_norm", out var norm) && norm.ValueKind == JsonValueKind.Number ? norm.GetDouble() : double.PositiveInfinity;
        return new TrainerOptions(batches / accumulation, Schedule(spec, optimizer.LearningRate), optimizer, null, accumulation, clip);
    }

    private static LearningRateSchedule Schedule(JsonElement spec, double rate)
    {
        if (spec.TryGetProperty("noam", out var noam))
            return new LearningRateSchedule("noam", rate, TrainingKinds.Whole(noam, "warmup"), ModelWidth: TrainingKinds.Whole(noam, "d_model"), Factor: noam.GetProperty("factor").GetDouble());
        return spec.TryGetProperty("lr_schedule", out var schedule)
            ? new LearningRateSchedule(schedule.GetProperty("name").GetString()!, rate, TrainingKinds.Whole(schedule, "warmup"), TrainingKinds.Whole(schedule, "total"))
            : new LearningRateSchedule("constant", rate);
    }

    private static OptimizerOptions Optimizer(JsonElement spec) => TrainingKinds.Options(spec.GetProperty("optimizer").GetProperty("name").GetString()!, spec.GetProperty("optimizer"));

    private static string[] Texts(JsonElement spec, string key) => spec.TryGetProperty(key, out var texts) ? [.. texts.EnumerateArray().Select(text => text.GetString()!)] : [];
}
