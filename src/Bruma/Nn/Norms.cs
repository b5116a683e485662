using TorchSharp.Modules;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Norms with their parameters set: TorchSharp leaves those of a group norm uninitialised.</summary>
public static class Norms
{
    public static GroupNorm Group(int groups, int channels, double eps)
    {
        var norm = GroupNorm(groups, channels, eps);
        init.ones_(norm.weight!);
        init.zeros_(norm.bias!);
        return norm;
    }
}
