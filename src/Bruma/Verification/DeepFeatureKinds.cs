using Bruma.Hub;
using Bruma.Metrics;
using Bruma.Vision;
using Bruma.Vision.Inception;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Kinds <c>inception</c> and <c>lpips</c>: deep networks with weights from a formula, which nothing outside verification uses.</summary>
internal static class DeepFeatureKinds
{
    public static void Inception(GoldenCase golden, CaseReport report)
    {
        using var still = no_grad();
        using var network = Filled(new FidInception());
        report.CompareExact("parameters", network.parameters().Sum(parameter => parameter.numel()), golden.Spec.GetProperty("parameters").GetInt64());
        report.CompareExact("parameter_tensors", network.parameters().Count(), golden.Spec.GetProperty("parameter_tensors").GetInt32());
        var image = golden.Tensor("image");
        if (golden.Has("resized_samples"))
        {
            var picked = arange(0, FidInception.Size, 37);
            report.Compare("resized_samples", FidInception.Resize(image).index_select(2, picked).index_select(3, picked));
        }
        var output = network.call(stack([.. image.unbind().Select(FidInception.Prepare)]));
        foreach (var (width, tap) in output.Taps.Where(tap => golden.Has($"{tap.Key}")))
            report.Compare($"{width}", tap);
        report.Compare("logits_unbiased", output.Unbiased);
        report.Compare("logits", output.Logits);
    }

    public static void Lpips(GoldenCase golden, CaseReport report)
    {
        using var heads = new SafetensorsFile(golden.PathOf(golden.Spec.GetProperty("lin").GetString()!));
        foreach (var net in golden.Spec.GetProperty("nets").EnumerateArray().Select(net => net.GetString()!))
        {
            using var lpips = new Lpips(Filled(new PerceptualNetwork(net)), heads);
            var layers = lpips.Layers(golden.Tensor("image_a"), golden.Tensor("image_b"));
            report.Compare($"{net}.layers", layers);
            report.Compare($"{net}.distance", layers.sum(1));
        }
    }

    /// <summary>Weights by the SplitMix64 formula of FORMAT.md.</summary>
    private static T Filled<T>(T network)
        where T : Module
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        foreach (var (name, target) in network.state_dict().Where(pair => pair.Value.is_floating_point()))
            target.copy_(tensor(Values(name, target.shape)).reshape(target.shape));
        network.eval();
        return network;
    }

    private static float[] Values(string name, long[] shape)
    {
        var count = shape.Aggregate(1L, (product, size) => product * size);
        var scale = shape.Length >= 2 ? Math.Sqrt(6.0 * shape[0] / count) : 0;
        var isScale = name.EndsWith("weight", StringComparison.Ordinal) || name.EndsWith("running_var", StringComparison.Ordinal);
        var seed = (ulong)Crc32.Of(System.Text.Encoding.UTF8.GetBytes(name));
        var values = new float[count];
        for (var i = 0L; i < count; i++)
        {
            var x = Mixed(seed + (ulong)(i + 1) * 0x9E3779B97F4A7C15);
            values[i] = (float)(shape.Length >= 2 ? x * scale : isScale ? 1 + 0.2 * x : 0.1 * x);
        }
        return values;
    }

    /// <returns>In [-1, 1).</returns>
    private static double Mixed(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return (z >> 40) / 8388608.0 - 1;
    }
}
