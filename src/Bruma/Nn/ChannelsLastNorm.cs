using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Group norm of a map with the channels last, with SiLU or without, at inference.</summary>
/// <remarks>Wu and He 2018, arXiv:1803.08494. The same numbers as the plain operators, for any number of threads.</remarks>
internal static class ChannelsLastNorm
{
    /// <param name="x">[B, C, H, W], channels last.</param>
    /// <param name="shift">[B, C], added to x before the norm; null for none.</param>
    /// <param name="affine">Weight and bias, [C] each, in the type of x.</param>
    /// <returns>[B, C, H, W], channels last.</returns>
    public static Tensor Run(Tensor x, Tensor? shift, (Tensor Weight, Tensor Bias) affine, (int Groups, double Eps) norm, bool silu)
    {
        using var scope = NewDisposeScope();
        var rows = x.permute(0, 2, 3, 1); // contiguous
        var (y, offset) = (empty(rows.shape, x.dtype), shift?.contiguous());
        var call = new NormCall(TensorMemory.Address(rows), offset is null ? 0 : TensorMemory.Address(offset), TensorMemory.Address(affine.Weight), TensorMemory.Address(affine.Bias), 0,
            (int)x.shape[0], (int)x.shape[1], (int)(x.shape[2] * x.shape[3]), norm.Groups, (float)norm.Eps);
        if (x.dtype == ScalarType.BFloat16)
            ChannelsLastNormKernel<BFloat16Lanes>.Run(call, TensorMemory.Address(y), silu);
        else
            ChannelsLastNormKernel<Float32Lanes>.Run(call, TensorMemory.Address(y), silu);
        return y.permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    /// <summary>A module's norm without activation: the kernel where the map lies so, else libtorch.</summary>
    public static Tensor Of(Tensor x, GroupNorm norm) => ChannelsLast.Is(x) && norm.weight is { } weight && norm.bias is { } bias
        ? Run(x, null, (weight, bias), ((int)norm.num_groups, norm.eps), silu: false)
        : norm.call(x);
}
