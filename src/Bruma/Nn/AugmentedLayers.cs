using System.Runtime.CompilerServices;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Layers with something beside them that acts when they are called, such as an adapter's update: shortcuts past the call must leave them alone.</summary>
internal static class AugmentedLayers
{
    private static readonly ConditionalWeakTable<Module, Count> Known = [];

    public static void Add(Module layer) => Known.GetOrCreateValue(layer).Value++;

    public static void Remove(Module layer)
    {
        if (Known.TryGetValue(layer, out var count) && --count.Value == 0)
            Known.Remove(layer);
    }

    public static bool Has(Module layer) => Known.TryGetValue(layer, out _);

    private sealed class Count
    {
        public int Value { get; set; }
    }
}
