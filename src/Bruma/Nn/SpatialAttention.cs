using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Self-attention among the places of a feature map, with its norm before and its residual after.</summary>
/// <remarks>Ho et al. 2020, arXiv:2006.11239. Checkpoint keys of diffusers: <c>group_norm</c>, <c>to_q</c>, <c>to_k</c>, <c>to_v</c>, <c>to_out.0</c>.</remarks>
public sealed class SpatialAttention : Module<Tensor, Tensor>, ICheckpointed
{
    private readonly GroupNorm? group_norm;
    private readonly Linear to_q;
    private readonly Linear to_k;
    private readonly Linear to_v;
    private readonly ModuleList<Linear> to_out;
    private readonly long _heads;
    private readonly double _outputScale;

    /// <param name="channels">C.</param>
    /// <param name="headWidth">Width of a head; as many heads as fit into the channels.</param>
    /// <param name="groups">Of the norm; null for no norm.</param>
    /// <param name="outputScale">What the sum with the residual is divided by.</param>
    public SpatialAttention(long channels, long headWidth, long? groups, double eps, double outputScale = 1, Device? device = null)
        : base(nameof(SpatialAttention))
    {
        if (headWidth < 1 || headWidth > channels)
            throw new BrumaException($"\"attention_head_dim\" is {headWidth}, the width of a head, where a block has {channels} channels; choose at most that.");
        _heads = channels / headWidth;
        _outputScale = outputScale;
        group_norm = groups is { } count ? Norms.Group(count, channels, eps, device) : null;
        to_q = Linear(channels, _heads * headWidth, device: device);
        to_k = Linear(channels, _heads * headWidth, device: device);
        to_v = Linear(channels, _heads * headWidth, device: device);
        to_out = ModuleList(Linear(_heads * headWidth, channels, device: device));
        RegisterComponents();
    }

    /// <summary>The last projection, which training from scratch may begin at zero.</summary>
    public Linear Output => to_out[0];

    /// <summary>Whether intermediate results are computed again for the gradients instead of being kept.</summary>
    public bool IsCheckpointed { get; set; }

    /// <param name="x">Features, [B, C, H, W].</param>
    /// <returns>Features, [B, C, H, W].</returns>
    public override Tensor forward(Tensor x)
    {
        return IsCheckpointed ? Checkpoint.Run(inputs => Compute(inputs[0]!, inputs[1]!), null, x, x) : Compute(x, x);
    }

    private Tensor Compute(Tensor x, Tensor attended)
    {
        using var scope = NewDisposeScope();
        if (ChannelsLast.Is(x))
            return ChannelsLastMixed(x).MoveToOuterDisposeScope();
        var normed = group_norm is null ? attended : group_norm.call(attended);
        var tokens = normed.flatten(2).transpose(1, 2); // [B, H * W, C]
        var mixed = AttentionProduct.Attend(to_q.call(tokens), to_k.call(tokens), to_v.call(tokens), _heads);
        var result = x + to_out[0].call(mixed).transpose(1, 2).reshape(x.shape); // in the order of memory of x
        return (_outputScale == 1 ? result : result / _outputScale).MoveToOuterDisposeScope();
    }

    private Tensor ChannelsLastMixed(Tensor x)
    {
        var tokens = ChannelsLast.Tokens(group_norm is null ? x : ChannelsLastNorm.Of(x, group_norm)); // [B, H * W, C]
        var mixed = AttentionProduct.Attend(FastLinear.Run(to_q, tokens), FastLinear.Run(to_k, tokens), FastLinear.Run(to_v, tokens), _heads);
        var result = ChannelsLast.Features(FastLinear.Run(to_out[0], mixed, ChannelsLast.Tokens(x)), x);
        return _outputScale == 1 ? result : result / _outputScale;
    }
}
