using System.Text.Json;
using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>A whole denoising run with given network outputs and given draws of noise.</summary>
internal static class SchedulerKind
{
    public static void Run(GoldenCase golden, CaseReport report)
    {
        var config = SchedulerConfig.Read(golden.Spec.GetProperty("config"), golden.Spec.GetProperty("class").GetString());
        RequireKnown(config.ClassName);
        var eta = golden.Spec.GetProperty("step_kwargs").TryGetProperty("eta", out var value) ? value.GetDouble() : (double?)null;
        using var scheduler = Scheduler.Create(config, golden.Spec.GetProperty("num_inference_steps").GetInt32(), new SchedulerOptions(eta));

        CompareSchedule(golden, report, scheduler, "");
        report.Compare("init_noise_sigma", tensor((float)scheduler.InitNoiseSigma));
        Denoise(golden, report, scheduler);
        if (golden.Has("add_noise.result"))
            AddNoise(golden, report, scheduler);
    }

    public static void RequireKnown(string className)
    {
        if (!Scheduler.Knows(className))
            throw new UnknownCaseException($"unknown scheduler {className}");
    }

    public static void CompareSchedule(GoldenCase golden, CaseReport report, Scheduler scheduler, string prefix)
    {
        report.Compare(prefix + "timesteps", tensor(scheduler.Timesteps.ToArray(), ScalarType.Float32));
        if (golden.Has(prefix + "sigmas"))
            report.Compare(prefix + "sigmas", tensor(scheduler.Sigmas.ToArray(), ScalarType.Float32));
    }

    private static void Denoise(GoldenCase golden, CaseReport report, Scheduler scheduler)
    {
        var outputs = golden.Tensor("model_outputs");
        var noises = golden.Has("noises") ? golden.Tensor("noises") : null;
        var drawn = 0;
        Tensor Draw(long[] shape) => (noises ?? throw new InvalidOperationException("the reference draws no noise"))[drawn++];

        var sample = golden.Tensor("sample");
        var (inputs, samples) = (new List<Tensor>(), new List<Tensor>());
        for (var step = 0; step < scheduler.Timesteps.Count; step++)
        {
            inputs.Add(scheduler.ScaleInput(sample, step));
            samples.Add(sample = scheduler.Step(outputs[step], step, sample, Draw));
        }
        if (golden.Has("scaled_inputs"))
            report.Compare("scaled_inputs", stack(inputs));
        report.Compare("prev_samples", stack(samples));
        report.CompareExact("draws of noise", drawn, noises is null ? 0 : (int)noises.shape[0]);
    }

    private static void AddNoise(GoldenCase golden, CaseReport report, Scheduler scheduler)
    {
        var (original, noise) = (golden.Tensor("add_noise.original"), golden.Tensor("add_noise.noise"));
        var timesteps = golden.Tensor("add_noise.timesteps").to(float64).data<double>().ToArray();
        report.Compare("add_noise.result", scheduler.AddNoise(original, noise, timesteps));
        if (golden.Has("velocity"))
            report.Compare("velocity", scheduler.Velocity(original, noise, timesteps));
    }
}

/// <summary>Published configurations read as one class after another.</summary>
internal static class SchedulerConfigKind
{
    public static void Run(GoldenCase golden, CaseReport report)
    {
        var file = SchedulerConfig.Load(golden.PathOf(golden.Spec.GetProperty("file").GetString()!));
        foreach (var row in golden.Spec.GetProperty("rows").EnumerateArray())
        {
            var key = row.GetProperty("key").GetString()!;
            SchedulerKind.RequireKnown(row.GetProperty("class").GetString()!);
            var config = file.As(row.GetProperty("class").GetString()!).Overridden(row.GetProperty("overrides"));
            using var scheduler = Scheduler.Create(config, row.GetProperty("steps").GetInt32());
            report.Compare($"{key}.init_noise_sigma", scheduler.InitNoiseSigma, row.GetProperty("init_noise_sigma").GetDouble());
            SchedulerKind.CompareSchedule(golden, report, scheduler, key + ".");
            if (row.TryGetProperty("result_config", out var expected))
                CompareConfig(report, key, JsonSerializer.SerializeToElement(config.ToJson()), expected);
        }
    }

    private static void CompareConfig(CaseReport report, string key, JsonElement actual, JsonElement expected)
    {
        foreach (var value in expected.EnumerateObject())
            report.CompareExact($"{key}.{value.Name}", actual.TryGetProperty(value.Name, out var found) && JsonElement.DeepEquals(found, value.Value), true);
    }
}
