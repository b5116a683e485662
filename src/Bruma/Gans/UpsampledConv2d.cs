using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>A 3x3 convolution of a picture doubled by repeating pixels, in 4/9 of the arithmetic and without the doubled picture.</summary>
/// <remarks>Of the nine weights that meet a repeated pixel, neighbours add up: the pair equals a transposed 4x4 convolution of stride 2 whose kernel is A W Aᵀ. Same parameters, same gradients.</remarks>
public sealed class UpsampledConv2d : Module<Tensor, Tensor>
{
    private static readonly double[,] Sums = { { 0, 0, 1 }, { 0, 1, 1 }, { 1, 1, 0 }, { 1, 0, 0 } }; // A

    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly Tensor _spread;

    public UpsampledConv2d(int from, int to, bool hasBias = true) : base(nameof(UpsampledConv2d))
    {
        weight = Parameter(zeros(to, from, 3, 3));
        register_parameter(nameof(weight), weight);
        if (hasBias)
            register_parameter(nameof(bias), bias = Parameter(zeros(to)));
        _spread = Spread();
    }

    public Parameter Weight => weight;

    public Parameter? Bias => bias;

    /// <param name="x">[B, Cin, H, W].</param>
    /// <returns>[B, Cout, 2H, 2W].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (to, from) = (weight.shape[0], weight.shape[1]);
        var kernel = matmul(weight.transpose(0, 1).reshape(from * to, 9), _spread.to(weight.dtype)).view(from, to, 4, 4);
        return functional.conv_transpose2d(x, kernel, bias, [2, 2], [1, 1]).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _spread.Dispose();
        base.Dispose(disposing);
    }

    /// <returns>The map from nine weights to sixteen, [9, 16].</returns>
    private static Tensor Spread()
    {
        var values = new float[9 * 16];
        for (var place = 0; place < 9 * 16; place++)
        {
            var (w, k) = (place / 16, place % 16);
            values[place] = (float)(Sums[k / 4, w / 3] * Sums[k % 4, w % 3]);
        }
        return tensor(values, [9, 16]).DetachFromDisposeScope();
    }
}
