using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>A model folder in one of the layouts that users have: every weight after loading, and one result.</summary>
internal static class WeightsFolderKind
{
    private static readonly string[] Inputs = ["sample", "timestep", "input_ids", "latents"];

    public static void Run(GoldenCase golden, CaseReport report)
    {
        var name = golden.Spec.GetProperty("class").GetString()!;
        if (!ModelClasses.All.TryGetValue(name, out var load))
            throw new UnknownCaseException($"unknown class {name}");
        using var module = load(golden.PathOf(golden.Spec.GetProperty("folder").GetString()!), golden.Spec.TryGetProperty("variant", out var variant) ? variant.GetString() : null);

        var actual = module.state_dict();
        foreach (var expected in golden.Spec.GetProperty("expected").EnumerateObject())
            report.CompareExact(expected.Name, actual.TryGetValue(expected.Name, out var tensor) ? Sum(tensor) : "missing", expected.Value.GetString()!);
        using var still = no_grad();
        report.Compare("output", Output(module, [.. Inputs.Where(golden.Has).Select(golden.Tensor)]));
    }

    private static Tensor Output(Module module, Tensor[] inputs)
    {
        module.eval();
        return (module, inputs) switch
        {
            (AutoencoderKl autoencoder, [var latents]) => autoencoder.Decode(latents),
            (Module<Tensor, Tensor> one, [var x]) => one.call(x),
            (Module<Tensor, Tensor, Tensor> two, [var x, var t]) => two.call(x, t),
            (Module<Tensor, Tensor?, Tensor> two, [var x]) => two.call(x, null!),
            (Module<Tensor, Tensor, Tensor?, Tensor> three, [var x, var t]) => three.call(x, t, null!),
            (Module<Tensor, Tensor?, TransformerOutput> text, [var ids]) => text.call(ids, null).LastHiddenState,
            (Module<Tensor, TransformerOutput> vision, [var pixels]) => vision.call(pixels).LastHiddenState,
            _ => throw new UnknownCaseException($"how to call {module.GetName()} with {inputs.Length} inputs"),
        };
    }

    /// <summary>Shape and CRC-32 of the fp32 bytes.</summary>
    internal static string Sum(Tensor tensor)
    {
        using var values = tensor.detach().cpu().to(float32).contiguous();
        return $"{string.Join("x", values.shape)}:{Crc32.Of(values.bytes):x8}";
    }
}
