using Bruma.Diffusion;
using Bruma.StableDiffusion;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>A network with its inputs, its outputs and what submodules give on the way.</summary>
internal static class ModelKind
{
    public static void Run(GoldenCase golden, CaseReport report)
    {
        var name = golden.Spec.GetProperty("class").GetString()!;
        if (FolderlessModels.All.TryGetValue(name, out var run))
        {
            run(golden, report);
            return;
        }
        if (!ModelClasses.All.TryGetValue(name, out var load))
            throw new UnknownCaseException($"class {name}");
        using var network = golden.Spec.TryGetProperty("weights", out _) ? ProceduralTensors.Load(golden, name) : load(golden.PathOf(golden.Spec.GetProperty("folder").GetString()!), null);
        using var still = no_grad();

        var taps = ModuleTaps.Attach(network, [.. golden.Names(ModuleTaps.Prefix)]);
        var inputs = golden.Spec.GetProperty("inputs").EnumerateArray().ToDictionary(input => input.GetString()!, input => golden.Tensor(input.GetString()!));
        var outputs = Outputs(network, inputs, golden);
        foreach (var (tap, value) in taps)
            report.Compare(tap, value);
        foreach (var expected in golden.Names().Where(tensor => !inputs.ContainsKey(tensor) && !tensor.StartsWith(ModuleTaps.Prefix, StringComparison.Ordinal)))
            if (outputs.TryGetValue(expected, out var value))
                report.Compare(expected, value);
            else
                report.Fail($"{expected}: {name} gives no such output");
    }

    private static Dictionary<string, Tensor> Outputs(Module network, Dictionary<string, Tensor> inputs, GoldenCase golden) => network switch
    {
        UNet2DConditionModel unet => new() { ["output"] = unet.call(inputs["sample"], inputs["timestep"], StableDiffusionOutputs.Conditioning(inputs)) },
        AutoencoderTiny tiny => StableDiffusionOutputs.Of(tiny, inputs),
        ControlNetModel control => StableDiffusionOutputs.Of(control, inputs, golden),
        AutoencoderKl autoencoder => StableDiffusionOutputs.Of(autoencoder, inputs),
        UNet2DModel unet => new() { ["output"] = unet.call(inputs["sample"], inputs["timestep"], inputs.GetValueOrDefault("class_labels")) },
        DiTTransformer2DModel transformer => new() { ["output"] = transformer.call(inputs["hidden_states"], inputs["timestep"], inputs["class_labels"]) },
        _ => TransformerOutputs.Of(network, inputs, golden),
    };
}
