using System.Text.Json;
using Bruma.Data;
using Bruma.Gans;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kind <c>gan_steps</c>: alternating updates through the trainer that users call.</summary>
internal static class GanStepsKind
{
    /// <summary>Parts of the generator and the discriminator under the names that the cases use.</summary>
    private static readonly (string Ours, string Theirs)[] GeneratorKeys = [("layers.", "g."), ("embed.", "g_embed.")];
    private static readonly (string Ours, string Theirs)[] DiscriminatorKeys = [("layers.", "d."), ("head.", "d_head."), ("embed.", "d_embed."), ("class_head.", "d_class.")];

    public static void Run(GoldenCase golden, CaseReport report)
    {
        var spec = golden.Spec;
        var noise = new StoredNoise(golden);
        using var generator = Generator(golden);
        using var discriminator = Discriminator(golden);
        using var trainer = new GanTrainer(generator, discriminator, noise, Options(spec));
        var steps = trainer.Run(first => Batches(golden, first)).ToList();
        var updates = steps.SelectMany(step => step.Discriminator).ToList();

        report.Compare("losses_d", [.. updates.Select(update => update.Loss)], Numbers(spec, "losses_d"));
        report.Compare("penalties", [.. updates.Select(update => update.Penalty)], Numbers(spec, "penalties"));
        report.Compare("grad_norms_d", [.. updates.Select(update => update.GradientNorm)], Numbers(spec, "grad_norms_d"));
        report.Compare("losses_g", [.. steps.Select(step => step.Loss)], Numbers(spec, "losses_g"));
        report.Compare("grad_norms_g", [.. steps.Select(step => step.GradientNorm)], Numbers(spec, "grad_norms_g"));
        CompareAll(golden, report, "ema.", Renamed(trainer.AveragedGenerator, [("layers.", "")]));

        using var noGradient = no_grad();
        var draw = noise.ForGenerator(0);
        report.Compare("samples", generator.call(draw.Latents, draw.Classes));
        // the stored running statistics are those after the samples
        CompareAll(golden, report, "final.", Renamed(generator.state_dict(), GeneratorKeys));
        CompareAll(golden, report, "final.", Renamed(discriminator.state_dict(), DiscriminatorKeys));
    }

    private static GanGenerator Generator(GoldenCase golden)
    {
        var classes = golden.Has("g_embed.weight") ? golden.Tensor("g_embed.weight").shape : null;
        var network = new GanGenerator(new GeneratorConfig((int)golden.Tensor("z_g").shape[^1], (int)golden.Tensor("real").shape[^1], GanKinds.LayersOf(golden.Spec.GetProperty("generator")), (int)(classes?[0] ?? 0), (int)(classes?[1] ?? 0)));
        Fill(Renamed(network.state_dict(), GeneratorKeys), golden);
        return network;
    }

    private static GanDiscriminator Discriminator(GoldenCase golden)
    {
        var spec = golden.Spec;
        var conditioning = spec.GetProperty("conditional").GetString() switch
        {
            null => ClassConditioning.None,
            "projection" => ClassConditioning.Projection,
            "acgan" => ClassConditioning.AuxiliaryClassifier,
            var other => throw new UnknownCaseException($"unknown conditioning {other}"),
        };
        var network = new GanDiscriminator(new DiscriminatorConfig(GanKinds.LayersOf(spec.GetProperty("discriminator")), conditioning, spec.GetProperty("classes").GetInt32(),
            conditioning == ClassConditioning.None ? 0 : (int)golden.Tensor("d_head.weight").shape[1]));
        Fill(Renamed(network.state_dict(), DiscriminatorKeys), golden);
        return network;
    }

    private static GanTrainerOptions Options(JsonElement spec) => new(
        spec.GetProperty("iterations").GetInt32(),
        spec.GetProperty("objective").GetString() switch
        {
            "bce" => GanObjective.NonSaturating,
            "hinge" => GanObjective.Hinge,
            "wgan-gp" => GanObjective.Wasserstein,
            "rpgan" => GanObjective.Relativistic,
            "lsgan" => GanObjective.LeastSquares,
            var other => throw new UnknownCaseException($"unknown objective {other}"),
        },
        TrainingKinds.Options(spec.GetProperty("optimizer_g").GetProperty("name").GetString()!, spec.GetProperty("optimizer_g")),
        TrainingKinds.Options(spec.GetProperty("optimizer_d").GetProperty("name").GetString()!, spec.GetProperty("optimizer_d")),
        new GanPenalties(spec.GetProperty("lambda_gp").GetDouble(), spec.GetProperty("r1_gamma").GetDouble(), spec.GetProperty("r2_gamma").GetDouble()),
        spec.GetProperty("ema_decay") is { ValueKind: JsonValueKind.Number } decay ? new EmaOptions(decay.GetDouble(), IsConstant: true) : null,
        spec.GetProperty("n_critic").GetInt32());

    private static IEnumerable<ImageBatch> Batches(GoldenCase golden, long first)
    {
        for (var index = first; ; index++)
            yield return new ImageBatch(golden.Tensor("real")[index].clone(), golden.Has("y_real") ? golden.Tensor("y_real")[index].clone() : null);
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Renamed(IEnumerable<KeyValuePair<string, Tensor>> tensors, (string Ours, string Theirs)[] names) =>
        from pair in tensors
        from name in names
        where pair.Key.StartsWith(name.Ours, StringComparison.Ordinal)
        select new KeyValuePair<string, Tensor>(name.Theirs + pair.Key[name.Ours.Length..], pair.Value);

    private static void Fill(IEnumerable<KeyValuePair<string, Tensor>> targets, GoldenCase golden)
    {
        using var still = no_grad();
        foreach (var (key, target) in targets)
            target.copy_(golden.Tensor(key));
    }

    private static void CompareAll(GoldenCase golden, CaseReport report, string prefix, IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        foreach (var (key, values) in tensors.Where(pair => golden.Has(prefix + pair.Key)))
            report.Compare(prefix + key, values);
    }

    private static double[] Numbers(JsonElement spec, string name) => [.. spec.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    private sealed class StoredNoise(GoldenCase golden) : GanNoise
    {
        public override GanDraw ForGenerator(long step) => new(golden.Tensor("z_g")[step], Classes(step));

        public override GanDraw ForDiscriminator(long step, long pass) => new(golden.Tensor("z_d")[pass], Classes(step));

        public override Tensor Between(long pass) => golden.Tensor("alpha")[pass];

        public override Generator ForAugmentation(long pass, int judgement) => throw new UnknownCaseException("augmentation within gan_steps");

        private Tensor? Classes(long step) => golden.Has("y_fake") ? golden.Tensor("y_fake")[step] : null;
    }
}
