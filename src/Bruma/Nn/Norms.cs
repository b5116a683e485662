using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Normalisation layers that begin as the identity.</summary>
public static class Norms
{
    /// <summary>Group normalisation (arXiv:1803.08494) with weight 1 and bias 0, which TorchSharp leaves uninitialised.</summary>
    /// <exception cref="BrumaException">The channels do not divide into the groups.</exception>
    public static GroupNorm Group(long groups, long channels, double eps, Device? device = null)
    {
        RequireDivisor(groups, channels);
        var norm = nn.GroupNorm(groups, channels, eps, device: device);
        using var still = no_grad();
        using var scope = NewDisposeScope();
        nn.init.ones_(norm.weight);
        nn.init.zeros_(norm.bias!);
        return norm;
    }

    /// <exception cref="BrumaException">The channels do not divide into the groups.</exception>
    internal static void RequireDivisor(long groups, long channels)
    {
        if (groups <= 0 || channels % groups != 0)
            throw new BrumaException($"\"norm_num_groups\" is {groups}, which does not divide {channels} channels; choose a divisor of all widths.");
    }
}
