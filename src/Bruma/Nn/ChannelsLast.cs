using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Feature maps whose channels lie side by side in memory: what convolutions at inference like, and tokens without a copy.</summary>
public static class ChannelsLast
{
    /// <summary>Whether a network may compute so: at inference, where the packed operators are.</summary>
    /// <param name="x">[B, C, H, W].</param>
    public static Tensor Of(Tensor x) => PackedOperators.Take(x) && x.dim() == 4 ? PackedOperators.ChannelsLast(x) : x.alias();

    /// <summary>The same numbers laid so, by operators that have gradients.</summary>
    /// <param name="x">[B, C, H, W].</param>
    public static Tensor Laid(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    /// <summary>Whether a map lies so, and the operators for it take it.</summary>
    public static bool Is(Tensor x) => x.dim() == 4 && PackedOperators.Take(x) && Lies(x);

    /// <summary>Whether a map lies so.</summary>
    /// <param name="x">[B, C, H, W].</param>
    public static bool Lies(Tensor x)
    {
        var (shape, stride) = (x.shape, x.stride());
        return shape[1] > 1 && stride[1] == 1 && stride[3] == shape[1] && stride[2] == shape[1] * shape[3] && stride[0] == shape[1] * shape[2] * shape[3];
    }

    /// <param name="x">[B, C, H, W], channels last.</param>
    /// <returns>The same memory as tokens, [B, H * W, C].</returns>
    public static Tensor Tokens(Tensor x) => x.permute(0, 2, 3, 1).view(x.shape[0], -1, x.shape[1]);

    /// <param name="tokens">[B, H * W, C].</param>
    /// <param name="like">A map of the result's height and width.</param>
    /// <returns>The same memory as a map, [B, C, H, W].</returns>
    public static Tensor Features(Tensor tokens, Tensor like) => tokens.view(like.shape[0], like.shape[2], like.shape[3], -1).permute(0, 3, 1, 2);
}
