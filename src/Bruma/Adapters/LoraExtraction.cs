using static TorchSharp.torch;

namespace Bruma.Adapters;

/// <summary>The low-rank update that comes nearest to what training changed: the largest singular values of the difference of two weights.</summary>
/// <remarks>Eckart and Young 1936: no other matrix of that rank is nearer.</remarks>
public static class LoraExtraction
{
    /// <param name="component">Part of the model, as files name it.</param>
    /// <param name="layer">Name of the layer in it.</param>
    /// <param name="weights">After training and before, [out, in] or [out, in, k, k].</param>
    /// <param name="rank">At most this; layers that are narrower get their width.</param>
    /// <returns>The update (alpha is the rank) and the share of the change's energy that it holds; null where nothing changed.</returns>
    public static (LoraUpdate Update, double Kept)? Nearest(string component, string layer, (Tensor Changed, Tensor Original) weights, int rank)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var difference = weights.Changed.to(float32) - weights.Original.to(float32);
        var matrix = difference.flatten(1);
        var energy = matrix.square().sum().item<float>();
        if (energy == 0)
            return null;
        var (u, s, vh) = linalg.svd(matrix, fullMatrices: false);
        var r = (int)Math.Min(rank, s.shape[0]);
        var root = s[..r].sqrt();
        var (up, down) = (u[.., ..r] * root, root.unsqueeze(1) * vh[..r]);
        var kept = s[..r].square().sum().item<float>() / energy;
        var tail = weights.Changed.shape[2..];
        var update = new LoraUpdate(
            component, layer,
            down.view([r, .. weights.Changed.shape[1..]]).contiguous().MoveToOuterDisposeScope(),
            up.contiguous().view([up.shape[0], r, .. tail.Select(_ => 1L)]).MoveToOuterDisposeScope(), 1);
        return (update, Math.Min(kept, 1));
    }
}
