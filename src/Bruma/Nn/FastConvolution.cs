using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Convolutions whose weights are packed at the first call, in networks that only draw: a packed weight takes the place of the plain one.</summary>
/// <remarks>
/// Packing pays where there are many weights for few places; other calls, and all with gradients, are the layer's own. Before anybody reads or changes
/// weights, <see cref="Restore"/> gives them back to the bit; the next call packs them again.
/// </remarks>
public static class FastConvolution
{
    private const long WeightsPerPlace = 1024; // from here on the reordering for each call is felt

    private static readonly ConditionalWeakTable<Conv2d, Slot> Allowed = [];

    /// <summary>Lets the convolutions of a network be packed when they are first used. Until <see cref="Restore"/>, their weights cannot be read.</summary>
    public static void Allow(Module network)
    {
        foreach (var layer in network.modules().OfType<Conv2d>())
            Allowed.AddOrUpdate(layer, new Slot());
    }

    /// <summary>Gives the plain weights back and frees the packed ones.</summary>
    public static void Restore(Module network)
    {
        foreach (var layer in network.modules().OfType<Conv2d>())
            if (Allowed.TryGetValue(layer, out var slot))
                Unpack(layer, slot);
    }

    /// <summary>Frees the packed weights of a network that is not used any more.</summary>
    public static void Forget(Module network)
    {
        foreach (var layer in network.modules().OfType<Conv2d>())
            if (Allowed.TryGetValue(layer, out var slot))
            {
                slot.Packed?.Dispose();
                Allowed.Remove(layer);
            }
    }

    /// <summary>The layer's result, whose stride and padding are given.</summary>
    /// <param name="x">[B, I, H, W].</param>
    /// <returns>[B, O, H', W'].</returns>
    public static Tensor Run(Conv2d layer, Tensor x, long stride = 1, long padding = 1)
    {
        if (!Allowed.TryGetValue(layer, out var slot))
            return layer.call(x);
        if (!ChannelsLast.Is(x))
            Unpack(layer, slot);
        else if (slot.Packed is not null || Pays(layer, x, stride))
            return PackedOperators.Convolve(x, slot.Packed ??= Pack(layer, x, stride, padding), layer.bias, stride, padding);
        return layer.call(x);
    }

    private static bool Pays(Conv2d layer, Tensor x, long stride) => layer.weight.dtype == x.dtype && layer.weight.numel() * stride * stride >= WeightsPerPlace * x.shape[0] * x.shape[2] * x.shape[3];

    private static Tensor Pack(Conv2d layer, Tensor x, long stride, long padding)
    {
        var plain = layer.weight;
        var packed = PackedOperators.PackConvolution(plain, stride, padding, x.shape).DetachFromDisposeScope();
        layer.weight = new Parameter(empty(plain.shape, plain.dtype, new Device(TorchSharp.DeviceType.META)).DetachFromDisposeScope(), requires_grad: false);
        plain.Dispose();
        return packed;
    }

    private static void Unpack(Conv2d layer, Slot slot)
    {
        if (slot.Packed is not { } packed)
            return;
        using var still = no_grad();
        var placeholder = layer.weight;
        layer.weight = new Parameter(PackedOperators.UnpackConvolution(packed).DetachFromDisposeScope(), requires_grad: false);
        slot.Packed = null;
        placeholder.Dispose();
        packed.Dispose();
    }

    private sealed class Slot
    {
        public Tensor? Packed { get; set; }
    }
}
