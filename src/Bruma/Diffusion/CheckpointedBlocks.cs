using Bruma.Nn;
using static TorchSharp.torch.nn;

namespace Bruma.Diffusion;

/// <summary>The pieces of a network that can be computed again for their gradients.</summary>
internal static class CheckpointedBlocks
{
    /// <summary>Turns gradient checkpointing on or off in all of them.</summary>
    public static void Set(Module network, bool isCheckpointed)
    {
        foreach (var piece in network.modules().OfType<ICheckpointed>())
            piece.IsCheckpointed = isCheckpointed;
    }
}
