using Bruma.Diffusion;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Loads the classes that reference cases name, by the loader that users call: (folder, variant) to a module in fp32.</summary>
public static class ModelClasses
{
    public static readonly IReadOnlyDictionary<string, Func<string, string?, Module>> All = new Dictionary<string, Func<string, string?, Module>>(StringComparer.Ordinal)
    {
        ["UNet2DModel"] = UNet2DModel.Load,
    };
}
