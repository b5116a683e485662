using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>Cosines and sines by which queries and keys are turned.</summary>
/// <param name="Cos">[B or 1, 1, T, d].</param>
/// <param name="Sin">[B or 1, 1, T, d].</param>
public readonly record struct Rotation(Tensor Cos, Tensor Sin)
{
    /// <summary>Turns each pair (x[i], x[i + d/2]) by the angle of its position.</summary>
    /// <param name="x">Queries or keys, [B, N, T, d].</param>
    public Tensor Apply(Tensor x)
    {
        using var scope = NewDisposeScope();
        var halves = x.chunk(2, -1);
        var turned = cat([-halves[1], halves[0]], -1);
        return (x * Cos + turned * Sin).MoveToOuterDisposeScope();
    }
}
