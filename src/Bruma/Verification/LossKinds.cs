using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kinds <c>diffusion_loss</c>, <c>flow_loss</c> and <c>edm_loss</c>.</summary>
internal static class LossKinds
{
    private static readonly (string Name, PredictionType Type)[] Types =
        [("epsilon", PredictionType.Epsilon), ("v_prediction", PredictionType.VPrediction), ("sample", PredictionType.Sample)];

    public static void Diffusion(GoldenCase golden, CaseReport report)
    {
        foreach (var schedule in golden.Spec.GetProperty("schedulers").EnumerateObject())
        {
            var noise = new NoiseSchedule(SchedulerConfig.Read(schedule.Value, "DDPMScheduler"));
            Targets(golden, report, schedule.Name, noise);
            Noises(golden, report, schedule.Name, noise);
            if (golden.Has("table.timesteps"))
                Tables(golden, report, schedule.Name, noise);
        }
        if (golden.Has("embeddings_dropped"))
            report.Compare("embeddings_dropped", DiffusionLosses.DropConditions(golden.Tensor("embeddings"), golden.Tensor("null_embedding"), golden.Tensor("drop")));
    }

    public static void Flow(GoldenCase golden, CaseReport report)
    {
        double Number(string name) => golden.Spec.GetProperty(name).GetDouble();
        var (x0, noise, output) = (golden.Tensor("x0"), golden.Tensor("noise"), golden.Tensor("model_output"));
        var t = FlowTimes.LogitNormal(golden.Tensor("normal"), Number("logit_mean"), Number("logit_std"));
        report.Compare("t", t);
        report.Compare("t_shifted", FlowTimes.Shifted(t, Number("shift")));
        report.Compare("t_mode", FlowTimes.Mode(golden.Tensor("uniform"), Number("mode_scale")));
        var noisy = DiffusionLosses.OnStraightPath(x0, noise, t);
        var target = DiffusionLosses.Target(PredictionType.Flow, x0, noise, t);
        report.Compare("x_t", noisy);
        report.Compare("target", target);
        if (golden.Has("x0_from_velocity"))
            report.Compare("x0_from_velocity", stack([.. Enumerable.Range(0, (int)t.shape[0]).Select(i => Predictions.Denoised(PredictionType.Flow, output[i], noisy[i], new NoiseLevel(1 - t[i].item<float>(), t[i].item<float>())))]));
        var losses = DiffusionLosses.PerPicture(output, target);
        report.Compare("per_sample", losses);
        report.Compare("mse", losses.mean().item<float>(), Number("mse"));
        foreach (var name in golden.Names("weight.").Select(name => name["weight.".Length..]))
        {
            var weight = FlowTimes.Weight(name, t);
            report.Compare($"weight.{name}", weight);
            report.Compare($"weighted_{name}", (losses * weight).mean().item<float>(), Number($"weighted_{name}"));
        }
    }

    public static void EdmLoss(GoldenCase golden, CaseReport report)
    {
        double Number(string name) => golden.Spec.GetProperty(name).GetDouble();
        var edm = new EdmDenoiser(Number("sigma_data"));
        var sigma = EdmDenoiser.Sigmas(golden.Tensor("normal"), Number("p_mean"), Number("p_std"));
        var original = golden.Tensor("x0");
        var noisy = original + DiffusionLosses.Column(sigma, original) * golden.Tensor("noise");
        var denoised = edm.Denoised(noisy, golden.Tensor("network_output"), sigma);
        report.Compare("sigma", sigma);
        report.Compare("noisy", noisy);
        report.Compare("network_input", edm.Input(noisy, sigma));
        report.Compare("denoised", denoised);
        report.Compare("loss", edm.Loss(denoised, original, sigma).item<float>(), Number("loss"));
        if (!golden.Has("table.sigma"))
            return;
        var table = golden.Tensor("table.sigma");
        foreach (var (name, value) in new[] { ("c_skip", edm.Skip(table)), ("c_out", edm.Out(table)), ("c_in", edm.In(table)), ("c_noise", EdmDenoiser.Noise(table)), ("weight", edm.Weight(table)) })
            report.Compare($"table.{name}", value);
    }

    private static void Targets(GoldenCase golden, CaseReport report, string schedule, NoiseSchedule noise)
    {
        var (x0, drawn, output, alphas) = (golden.Tensor("x0"), golden.Tensor("noise"), golden.Tensor("model_output"), noise.AlphasCumprodAt(golden.Tensor("timesteps")).to(float32));
        report.Compare($"{schedule}.noisy", DiffusionLosses.Noisy(x0, drawn, alphas));
        var gamma = golden.Spec.GetProperty("snr_gamma").GetDouble();
        foreach (var (name, type) in Types.Where(type => golden.Has($"{schedule}.{type.Name}.target")))
        {
            var target = DiffusionLosses.Target(type, x0, drawn, alphas);
            var losses = DiffusionLosses.PerPicture(output, target);
            var weights = DiffusionLosses.MinSnrWeight(type, DiffusionLosses.SignalToNoise(alphas), gamma);
            report.Compare($"{schedule}.{name}.target", target);
            report.Compare($"{schedule}.{name}.per_sample", losses);
            report.Compare($"{schedule}.{name}.weights", weights);
            var means = new Dictionary<string, double>(StringComparer.Ordinal) { ["mse"] = losses.mean().item<float>(), ["min_snr"] = (losses * weights).mean().item<float>() };
            CompareMeans(golden, report, (schedule, name), huber => means.TryGetValue(huber, out var mean) ? mean : DiffusionLosses.Huber(output, target, Parameter(huber)).item<float>());
        }
    }

    private static void Noises(GoldenCase golden, CaseReport report, string schedule, NoiseSchedule noise)
    {
        var (x0, drawn, output, alphas) = (golden.Tensor("x0"), golden.Tensor("noise"), golden.Tensor("model_output"), noise.AlphasCumprodAt(golden.Tensor("timesteps")).to(float32));
        if (golden.Has($"{schedule}.noisy_offset"))
        {
            var objective = new DiffusionObjective(PredictionType.Epsilon, noise, NoiseOffset: golden.Spec.GetProperty("noise_offset").GetDouble());
            var offset = objective.OffsetNoise(drawn, golden.Tensor("offset_noise"));
            report.Compare($"{schedule}.noisy_offset", DiffusionLosses.Noisy(x0, offset, alphas));
            CompareMeans(golden, report, (schedule, "epsilon, noise offset"), _ => DiffusionLosses.PerPicture(output, offset).mean().item<float>());
        }
        if (golden.Has($"{schedule}.noisy_perturbed"))
            report.Compare($"{schedule}.noisy_perturbed", DiffusionLosses.Noisy(x0, drawn + golden.Spec.GetProperty("input_perturbation").GetDouble() * golden.Tensor("perturbation"), alphas));
    }

    private static void Tables(GoldenCase golden, CaseReport report, string schedule, NoiseSchedule noise)
    {
        var snr = DiffusionLosses.SignalToNoise(noise.AlphasCumprodAt(golden.Tensor("table.timesteps")).to(float32));
        report.Compare($"{schedule}.table.snr", snr);
        foreach (var (name, type) in Types.Where(type => golden.Has($"{schedule}.table.min_snr.{type.Name}")))
            report.Compare($"{schedule}.table.min_snr.{name}", DiffusionLosses.MinSnrWeight(type, snr, golden.Spec.GetProperty("snr_gamma").GetDouble()));
    }

    private static void CompareMeans(GoldenCase golden, CaseReport report, (string Schedule, string Prediction) row, Func<string, double> mean)
    {
        foreach (var expected in golden.Spec.GetProperty("losses").EnumerateArray())
            if (expected.GetProperty("schedule").GetString() == row.Schedule && expected.GetProperty("prediction").GetString() == row.Prediction)
                foreach (var value in expected.EnumerateObject().Where(value => value.Name is not ("schedule" or "prediction")))
                    report.Compare($"{row.Schedule}.{row.Prediction}.{value.Name}", mean(value.Name), value.Value.GetDouble());
    }

    /// <summary>The number after <c>huber_</c>.</summary>
    private static double Parameter(string loss) => loss.StartsWith("huber_", StringComparison.Ordinal)
        ? double.Parse(loss["huber_".Length..], System.Globalization.CultureInfo.InvariantCulture)
        : throw new UnknownCaseException($"unknown loss {loss}");
}
