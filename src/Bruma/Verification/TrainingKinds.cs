using System.Text.Json;
using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Kinds <c>optimizer</c>, <c>gradient_accumulation</c> and <c>train_steps</c>: whole updates through the trainer that users call.</summary>
internal static class TrainingKinds
{
    public static void Optimizers(GoldenCase golden, CaseReport report)
    {
        var gradients = golden.Tensor("gradients");
        foreach (var row in golden.Spec.GetProperty("cases").EnumerateArray())
        {
            using var module = new OneParameter(golden.Tensor("start"));
            var options = Options(row.GetProperty("optimizer").GetString()!, row.GetProperty("options"));
            // the gradient of sum(p g) is g
            using var trainer = new Trainer<StoredBatch>(module, (batch, _) => (module.Values * gradients[batch.Index]).sum(), new TrainerOptions(
                (int)gradients.shape[0], new LearningRateSchedule("constant", options.LearningRate), options, null, MaxGradientNorm: double.PositiveInfinity, DecaysAll: true));
            var after = new List<Tensor>();
            foreach (var _ in trainer.Run(StoredBatch.From))
                after.Add(module.Values.detach().clone());
            report.Compare($"after.{row.GetProperty("name").GetString()}", stack(after));
        }
    }

    public static void GradientAccumulation(GoldenCase golden, CaseReport report)
    {
        var parts = golden.Spec.GetProperty("parts").EnumerateArray().Select(part => part.EnumerateArray().Select(row => row.GetInt64()).ToArray()).ToArray();
        var whole = new[] { parts.SelectMany(part => part).Order().ToArray() };
        foreach (var (name, split, weighted) in new[] { ("large_batch", whole, false), ("token_weighted", parts, true), ("mean_of_means", parts, false) })
        {
            var (ids, labels) = (golden.Tensor("input_ids").to(int64), golden.Tensor("labels").to(int64));
            var width = golden.Tensor("weights.0.weight").shape;
            using var network = Sequential(("0", Embedding(width[0], width[1])), ("1", Linear(width[1], width[0])));
            using (no_grad())
                foreach (var (key, parameter) in network.named_parameters())
                    parameter.copy_(golden.Tensor($"weights.{key}"));
            Tensor Loss(StoredBatch batch) => functional.cross_entropy(network.call(ids[tensor(split[batch.Index])]).flatten(0, 1), labels[tensor(split[batch.Index])].flatten(), ignore_index: -100);
            double Tokens(StoredBatch batch) => (labels[tensor(split[batch.Index])] != -100).sum().item<long>();

            // a step of size 1 downhill shows the gradient
            using var trainer = new Trainer<StoredBatch>(network, (batch, _) => Loss(batch), new TrainerOptions(1, new LearningRateSchedule("constant", 1), new SgdOptions(1), null, split.Length, double.PositiveInfinity), weight: weighted ? Tokens : null);
            var loss = trainer.Run(StoredBatch.From).Single().Loss;
            report.Compare($"losses.{name}", loss, golden.Spec.GetProperty("losses").GetProperty(name).GetDouble());
            foreach (var (key, parameter) in network.named_parameters())
                report.Compare($"{name}.grad.{key}", golden.Tensor($"weights.{key}") - parameter.detach());
        }
    }

    public static void Steps(GoldenCase golden, CaseReport report)
    {
        var spec = golden.Spec;
        using var network = UNet2DModel.Load(golden.PathOf(spec.GetProperty("model").GetString()!));
        var (x, noise, times) = (golden.Tensor("x"), golden.Tensor("noise"), golden.Tensor("timesteps"));
        var objective = Objective(spec);
        var (schedule, optimizer) = (spec.GetProperty("lr_schedule"), spec.GetProperty("optimizer"));
        var options = Options(optimizer.GetProperty("name").GetString()!, optimizer);
        var accumulation = spec.GetProperty("gradient_accumulation").GetInt32();
        var updates = (int)x.shape[0] / accumulation;
        using var trainer = new Trainer<StoredBatch>(
            network,
            (batch, _) => objective.Loss((sample, t) => network.call(sample, t, null), x[batch.Index], noise[batch.Index], objective.Noise is null ? times[batch.Index] : times[batch.Index].to(int64)),
            new TrainerOptions(
                updates, new LearningRateSchedule(schedule.GetProperty("name").GetString()!, options.LearningRate, Whole(schedule, "warmup"), Whole(schedule, "total")), options,
                new EmaOptions(spec.GetProperty("ema_decay").GetDouble(), IsConstant: true), accumulation, spec.GetProperty("max_grad_norm").GetDouble(), DecaysAll: true));
        var reports = trainer.Run(StoredBatch.From).ToList();

        report.Compare("losses", [.. reports.Select(step => step.Loss)], Numbers(spec, "losses"));
        report.Compare("grad_norms", [.. reports.Select(step => step.GradientNorm)], Numbers(spec, "grad_norms"));
        report.Compare("lrs", [.. reports.Select(step => step.LearningRate)], Numbers(spec, "lrs"));
        foreach (var (prefix, buffer) in new[] { ("final.", trainer.Parameters.Master), ("ema.", trainer.Average!) })
            foreach (var (key, values) in trainer.Parameters.Named(buffer).Where(pair => golden.Has(prefix + pair.Key)))
                report.Compare(prefix + key, values);
    }

    private static DiffusionObjective Objective(JsonElement spec)
    {
        var prediction = spec.GetProperty("objective").GetString() switch
        {
            "epsilon" => PredictionType.Epsilon,
            "v_prediction" => PredictionType.VPrediction,
            "sample" => PredictionType.Sample,
            "flow" => PredictionType.Flow,
            var other => throw new UnknownCaseException($"unknown objective {other}"),
        };
        var schedule = prediction == PredictionType.Flow ? null : new NoiseSchedule(SchedulerConfig.Read(spec.GetProperty("scheduler"), "DDPMScheduler"));
        return new DiffusionObjective(prediction, schedule, spec.GetProperty("snr_gamma").ValueKind == JsonValueKind.Number ? spec.GetProperty("snr_gamma").GetDouble() : null);
    }

    internal static OptimizerOptions Options(string name, JsonElement options)
    {
        double Number(string key, double otherwise) => options.TryGetProperty(key, out var value) ? value.GetDouble() : otherwise;
        bool Flag(string key) => options.TryGetProperty(key, out var value) && value.GetBoolean();
        var (beta1, beta2) = options.TryGetProperty("betas", out var betas) ? (betas[0].GetDouble(), betas[1].GetDouble()) : (0.9, name == "Lion" ? 0.99 : 0.999);
        var rate = Number("lr", 1e-3);
        return name switch
        {
            "AdamW" when !Flag("amsgrad") => new AdamWOptions(rate, beta1, beta2, Number("eps", 1e-8), Number("weight_decay", 0.01)),
            "Adam" => new AdamOptions(rate, beta1, beta2, Number("eps", 1e-8), Number("weight_decay", 0), Flag("amsgrad")),
            "SGD" => new SgdOptions(rate, Number("momentum", 0), Number("dampening", 0), Flag("nesterov"), Number("weight_decay", 0)),
            "RMSprop" => new RmspropOptions(rate, Number("alpha", 0.99), Number("eps", 1e-8), Number("momentum", 0), Flag("centered"), Number("weight_decay", 0)),
            "Lion" => new LionOptions(rate, beta1, beta2, Number("weight_decay", 0)),
            _ => throw new UnknownCaseException($"unknown optimizer {name}"),
        };
    }

    internal static int Whole(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetInt32() : 0;

    internal static double[] Numbers(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    private sealed class OneParameter : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Parameter values;

        public OneParameter(Tensor start) : base(nameof(OneParameter))
        {
            values = Parameter(start.clone());
            RegisterComponents();
        }

        public Tensor Values => values;

        public override Tensor forward(Tensor x) => x * values;
    }
}
