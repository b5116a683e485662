using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>A weight divided by its largest singular value, which power iteration follows.</summary>
/// <remarks>Miyato et al. 2018, arXiv:1802.05957. In training mode every access iterates once: u = normalize(W v), then v = normalize(Wᵀ u). For the gradient u and v are constants.
/// Keys as torch's parametrization has them: <c>original</c>, <c>0._u</c>, <c>0._v</c>.</remarks>
public sealed class SpectralNorm : Module
{
    private const double Epsilon = 1e-12;
    private const int StartIterations = 15;

    private readonly Parameter original;
    private readonly PowerIteration power;
    private readonly bool _outIsSecond;

    /// <param name="shape">Of the weight.</param>
    /// <param name="outIsSecond">The outputs are the second dimension, as in transposed convolutions.</param>
    public SpectralNorm(long[] shape, bool outIsSecond = false) : base(nameof(SpectralNorm))
    {
        var rows = shape[outIsSecond ? 1 : 0];
        _outIsSecond = outIsSecond;
        original = Parameter(zeros(shape));
        power = new PowerIteration(rows, shape.Aggregate(1L, (product, size) => product * size) / rows);
        register_parameter(nameof(original), original);
        register_module("0", power);
    }

    /// <summary>The weight before division.</summary>
    public Parameter Original => original;

    /// <summary>Sets both vectors from a generator and follows the present weight for a few iterations.</summary>
    public void Initialize(Generator generator)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        power.U.normal_(0, 1, generator);
        power.V.normal_(0, 1, generator);
        power.V.div_(power.V.norm().clamp_min(Epsilon));
        for (var i = 0; i < StartIterations; i++)
            power.Iterate(Matrix());
    }

    /// <returns>The weight, normalised.</returns>
    public Tensor Weight()
    {
        using var scope = NewDisposeScope();
        var matrix = Matrix();
        if (training)
            using (no_grad())
                power.Iterate(matrix);
        var sigma = dot(power.U.clone(), mv(matrix, power.V.clone())); // copies: the next access changes the vectors in place
        return (original / sigma).MoveToOuterDisposeScope();
    }

    private Tensor Matrix() => _outIsSecond ? original.transpose(0, 1).flatten(1) : original.flatten(1); // [out, rest]

    private sealed class PowerIteration : Module
    {
        public PowerIteration(long rows, long columns) : base(nameof(PowerIteration))
        {
            (U, V) = (zeros(rows), zeros(columns));
            register_buffer("_u", U);
            register_buffer("_v", V);
        }

        public Tensor U { get; }

        public Tensor V { get; }

        public void Iterate(Tensor matrix)
        {
            using var scope = NewDisposeScope();
            Normalize(U, mv(matrix, V));
            Normalize(V, mv(matrix.t(), U));
        }

        private static void Normalize(Tensor target, Tensor vector) => target.copy_(vector / vector.norm().clamp_min(Epsilon));
    }
}

/// <summary>torch keeps a parametrized weight under <c>parametrizations.weight</c>.</summary>
internal sealed class Parametrizations : Module
{
    public Parametrizations(SpectralNorm weight) : base(nameof(Parametrizations)) => register_module("weight", weight);
}

/// <summary>A convolution, plain or transposed, with a normalised weight.</summary>
public sealed class SpectralConv2d : Module<Tensor, Tensor>
{
    private readonly SpectralNorm _weight;
    private readonly Parameter? _bias;
    private readonly LayerSpec _layer;
    private readonly bool _isTransposed;

    public SpectralConv2d(LayerSpec layer, bool isTransposed = false) : base(nameof(SpectralConv2d))
    {
        (_layer, _isTransposed) = (layer, isTransposed);
        long[] shape = isTransposed ? [layer.In, layer.Out, layer.Kernel, layer.Kernel] : [layer.Out, layer.In, layer.Kernel, layer.Kernel];
        _weight = new SpectralNorm(shape, isTransposed);
        register_module("parametrizations", new Parametrizations(_weight));
        if (layer.HasBias)
            register_parameter("bias", _bias = Parameter(zeros(layer.Out)));
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (weight, stride, padding) = (_weight.Weight(), (long)_layer.Stride, (long)_layer.Padding);
        var y = _isTransposed
            ? functional.conv_transpose2d(x, weight, _bias, [stride, stride], [padding, padding])
            : functional.conv2d(x, weight, _bias, [stride, stride], [padding, padding]);
        return y.MoveToOuterDisposeScope();
    }
}

/// <summary>A linear layer with a normalised weight.</summary>
public sealed class SpectralLinear : Module<Tensor, Tensor>
{
    private readonly SpectralNorm _weight;
    private readonly Parameter? _bias;

    public SpectralLinear(int from, int to, bool bias = true) : base(nameof(SpectralLinear))
    {
        _weight = new SpectralNorm([to, from]);
        register_module("parametrizations", new Parametrizations(_weight));
        if (bias)
            register_parameter("bias", _bias = Parameter(zeros(to)));
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return functional.linear(x, _weight.Weight(), _bias).MoveToOuterDisposeScope();
    }
}
