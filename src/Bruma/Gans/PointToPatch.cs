using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>The transposed convolution of a single position, as DCGAN begins, computed as the matrix product that it is.</summary>
public sealed class PointToPatch : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter? bias;

    public PointToPatch(int from, int to, int kernel, bool hasBias = true) : base(nameof(PointToPatch))
    {
        register_parameter(nameof(weight), weight = Parameter(zeros(from, to, kernel, kernel)));
        if (hasBias)
            register_parameter(nameof(bias), bias = Parameter(zeros(to)));
    }

    public Parameter Weight => weight;

    public Parameter? Bias => bias;

    /// <param name="x">[B, Cin, 1, 1].</param>
    /// <returns>[B, Cout, k, k].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var y = matmul(x.flatten(1), weight.flatten(1)).view(-1, weight.shape[1], weight.shape[2], weight.shape[3]);
        return (bias is null ? y : y + bias.view(1, -1, 1, 1)).MoveToOuterDisposeScope();
    }
}
