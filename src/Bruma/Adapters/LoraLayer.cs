using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Adapters;

/// <summary>A trainable low-rank update beside a linear layer or a convolution.</summary>
/// <remarks>Hu et al. 2021, arXiv:2106.09685. Checkpoint keys of PEFT: <c>lora_A.weight</c> [r, in], <c>lora_B.weight</c> [out, r]; for a convolution [r, in, k, k] and [out, r, 1, 1].</remarks>
public sealed class LoraLayer : Module<Tensor, Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> lora_A;
    private readonly Module<Tensor, Tensor> lora_B;
    private readonly SeededDropout dropout;
    private readonly TorchSharp.Modules.Parameter? lora_magnitude_vector;
    private readonly Neighbour _base;
    private readonly double _scale;
    private readonly int _number;

    /// <param name="layer">A linear layer or a convolution of one group; is not changed.</param>
    /// <param name="number">Tells its dropout from that of the other layers.</param>
    /// <exception cref="BrumaException">The layer is of another kind, or narrower than the rank.</exception>
    internal LoraLayer(string name, Module<Tensor, Tensor> layer, LoraOptions options, int number) : base(nameof(LoraLayer))
    {
        (_base, _scale, _number) = (new Neighbour(layer), options.Scale, number);
        var weight = Weight(layer);
        var width = Math.Min(weight.shape[0], weight.numel() / weight.shape[0]);
        if (options.Rank < 1 || options.Rank > width)
            throw new BrumaException($"--rank {options.Rank}: the layer {name} is {width} wide; choose a rank from 1 to {width}, or other --targets.");
        (Module<Tensor, Tensor> Down, Module<Tensor, Tensor> Up) factors = layer switch
        {
            Linear linear => (Linear(linear.in_features, options.Rank, hasBias: false), Linear(options.Rank, linear.out_features, hasBias: false)),
            Conv2d { groups: 1 } conv => (
                Conv2d(conv.in_channels, options.Rank, Pair(conv.kernel_size), Pair(conv.stride), Pair(conv.padding ?? [0, 0]), Pair(conv.dilation), bias: false),
                Conv2d(options.Rank, conv.out_channels, 1, bias: false)),
            _ => throw new BrumaException($"{name}: is a {layer.GetName()}, which takes no low-rank update; choose linear layers and convolutions of one group."),
        };
        (lora_A, lora_B) = factors;
        dropout = new SeededDropout(options.Dropout);
        if (options.UseDora)
            using (no_grad())
                lora_magnitude_vector = new TorchSharp.Modules.Parameter(LoraUpdate.RowNorm(weight.detach().to(float32)).flatten().DetachFromDisposeScope());
        RegisterComponents();
    }

    /// <summary>The update as it stands, sharing memory with this layer.</summary>
    /// <param name="other">Values by the parameter's key to take instead; null for the layer's own.</param>
    internal LoraUpdate Update(string component, string name, Func<string, Tensor?>? other = null)
    {
        var magnitude = lora_magnitude_vector is null ? null : (other?.Invoke(nameof(lora_magnitude_vector)) ?? lora_magnitude_vector).view([-1, .. Enumerable.Repeat(1L, (int)Weight(_base.Layer).dim() - 1)]);
        return new LoraUpdate(component, name, other?.Invoke("lora_A.weight") ?? Weight(lora_A), other?.Invoke("lora_B.weight") ?? Weight(lora_B), _scale, magnitude);
    }

    /// <summary>Draws the lower factor; the upper one begins at zero, so that nothing is changed yet.</summary>
    internal void Initialize(Generator random)
    {
        Initialization.Reset(this, random); // a module is not among its own modules
        Initialization.Zero(lora_B);
    }

    /// <param name="x">What the layer was given.</param>
    /// <param name="output">What it made of it.</param>
    /// <returns>The output of the changed layer, in the output's type and shape.</returns>
    public override Tensor forward(Tensor x, Tensor output)
    {
        using var scope = NewDisposeScope();
        var update = lora_B.call(lora_A.call(Dropped(x))) * _scale;
        if (lora_magnitude_vector is null)
            return (output + update).MoveToOuterDisposeScope();

        var factor = Rows(lora_magnitude_vector / ChangedNorm(), output);
        var bias = _base.Layer is Linear linear ? linear.bias : ((Conv2d)_base.Layer).bias;
        var unbiased = bias is null ? output : output - Rows(bias, output);
        return (output + (factor - 1) * unbiased + factor * update).MoveToOuterDisposeScope();
    }

    internal static Tensor Weight(Module layer) => layer switch
    {
        Linear linear => linear.weight,
        Conv2d conv => conv.weight,
        _ => throw new ArgumentException("neither linear nor convolution", nameof(layer)),
    };

    /// <summary>Drops by a generator of its own, so that a second pass (gradient checkpointing) drops the same.</summary>
    private Tensor Dropped(Tensor x)
    {
        if (!training || dropout.Probability == 0 || dropout.Generator is not { } shared)
            return dropout.call(x);
        using var own = HashedSeed.At(shared.initial_seed(), _number);
        dropout.Generator = own;
        var kept = dropout.call(x);
        dropout.Generator = shared;
        return kept;
    }

    /// <summary>The lengths of the changed rows, a constant to the gradient as in the paper.</summary>
    private Tensor ChangedNorm()
    {
        using var still = no_grad();
        var weight = Weight(_base.Layer).to(float32);
        return LoraUpdate.RowNorm(weight + Update("", "").Change(weight)).flatten().to(lora_magnitude_vector!.dtype);
    }

    private Tensor Rows(Tensor values, Tensor output) => _base.Layer is Linear ? values : values.view(1, -1, 1, 1).to(output.dtype);

    private static (long, long) Pair(long[] sizes) => (sizes[0], sizes[^1]);

    /// <summary>Keeps the layer beside this one out of this one's parameters.</summary>
    private readonly record struct Neighbour(Module<Tensor, Tensor> Layer);
}
