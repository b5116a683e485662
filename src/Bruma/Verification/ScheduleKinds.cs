using System.Text.Json;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Kinds <c>lr_schedule</c>, <c>layerwise_lr</c> and <c>ema</c>: rules of training that are pure functions of the step.</summary>
internal static class ScheduleKinds
{
    public static void LearningRates(GoldenCase golden, CaseReport report)
    {
        foreach (var row in golden.Spec.GetProperty("cases").EnumerateArray())
        {
            var name = row.GetProperty("name").GetString()!;
            var schedule = new LearningRateSchedule(name, Number(row, "lr") ?? Number(row, "max_lr") ?? 1, Whole(row, "warmup") ?? 0, Whole(row, "total") ?? 0, Whole(row, "num_cycles") ?? 1,
                Number(row, "power") ?? 1, Number(row, "lr_end") ?? 1e-7, Whole(row, "num_decay_steps"), Whole(row, "d_model") ?? 0, Number(row, "factor") ?? 1);
            var expected = row.GetProperty("values").EnumerateArray().Select(value => value.GetDouble()).ToArray();
            report.Compare(name, [.. expected.Select((_, step) => schedule.At(step))], expected);
        }
    }

    public static void LayerwiseRates(GoldenCase golden, CaseReport report)
    {
        var (layers, rate, decay) = (golden.Spec.GetProperty("layers").GetInt32(), Number(golden.Spec, "lr")!.Value, Number(golden.Spec, "decay")!.Value);
        foreach (var row in golden.Spec.GetProperty("rows").EnumerateArray())
            report.Compare(row.GetProperty("part").GetString()!, rate * LearningRateSchedule.LayerScale(row.GetProperty("depth").GetInt32(), layers, decay), Number(row, "lr")!.Value);
    }

    public static void Average(GoldenCase golden, CaseReport report)
    {
        var config = golden.Spec.GetProperty("config");
        var options = new EmaOptions(Number(config, "decay") ?? 0.9999, Number(config, "min_decay") ?? 0, Whole(config, "update_after_step") ?? 0,
            config.TryGetProperty("use_ema_warmup", out var warmup) && warmup.GetBoolean(), Number(config, "inv_gamma") ?? 1, Number(config, "power") ?? 2.0 / 3);
        var expected = golden.Spec.GetProperty("decays").EnumerateArray().Select(value => value.GetDouble()).ToArray();
        report.Compare("decays", [.. expected.Select((_, i) => options.At(i + 1))], expected);

        var (given, shadow, average) = (golden.Tensor("params"), new List<Tensor>(), golden.Tensor("start"));
        for (var i = 0; i < expected.Length; i++)
            shadow.Add(average = average + (given[i] - average) * (1 - options.At(i + 1)));
        report.Compare("shadow", stack(shadow));
    }

    private static double? Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetDouble() : null;

    private static int? Whole(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetInt32() : null;
}
