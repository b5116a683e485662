using System.Text.Json;
using Bruma.Hub;
using Bruma.StableDiffusion;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>A checkpoint in the original layout: its family, and every weight of its networks after loading.</summary>
internal static class SingleFileKind
{
    public static void Run(GoldenCase golden, CaseReport report)
    {
        var configs = golden.PathOf(golden.Spec.GetProperty("config_folder").GetString()!);
        foreach (var name in golden.Spec.GetProperty("files").EnumerateArray().Select(file => file.GetString()!))
        {
            using var file = SingleFile.Open(golden.PathOf(name), configs);
            report.CompareExact($"{name}: family", file.Family.Name, golden.Spec.GetProperty("family").GetString());
            foreach (var count in golden.Spec.GetProperty("prefix_counts").EnumerateObject())
                report.CompareExact($"{name}: {count.Name}", file.Stored.Tensors.Keys.Count(key => key.StartsWith(count.Name, StringComparison.Ordinal)), count.Value.GetInt32());
            var used = file.Components.SelectMany(component => file.Parts(component).Values).SelectMany(part => part.Stored).ToHashSet(StringComparer.Ordinal);
            report.CompareExact($"{name}: ignored", golden.Spec.GetProperty("ignored").EnumerateArray().Any(key => used.Contains(key.GetString()!)), false);
            foreach (var component in golden.Spec.GetProperty("expected").EnumerateObject())
                Compare(report, $"{name}: {component.Name}", file, component);
        }
    }

    private static void Compare(CaseReport report, string where, SingleFile file, JsonProperty component)
    {
        using Module network = component.Name switch
        {
            "unet" => file.LoadUNet(),
            "vae" => file.LoadAutoencoder(),
            var encoder when file.Layout(encoder).IsProjected => file.LoadProjectedTextEncoder(encoder),
            var encoder => file.LoadTextEncoder(encoder),
        };
        var actual = network.state_dict();
        report.CompareExact($"{where}: tensors", ModuleWeights.Keys(network).Count(), component.Value.EnumerateObject().Count());
        foreach (var expected in component.Value.EnumerateObject())
            report.CompareExact($"{where}.{expected.Name}", actual.TryGetValue(expected.Name, out var tensor) ? WeightsFolderKind.Sum(tensor) : "missing", expected.Value.GetString()!);
    }
}
