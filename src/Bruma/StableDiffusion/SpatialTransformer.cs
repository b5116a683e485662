using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>Transformer blocks over the places of a feature map, with norm, projections and residual: diffusers' Transformer2DModel.</summary>
/// <remarks>Rombach et al. 2022, arXiv:2112.10752, appendix E.2.1.</remarks>
public sealed class SpatialTransformer : Module<Tensor, Tensor?, Tensor>
{
    private const double Eps = 1e-6;

    private readonly GroupNorm norm;
    private readonly Module<Tensor, Tensor> proj_in;
    private readonly ModuleList<TransformerBlock> transformer_blocks = ModuleList<TransformerBlock>();
    private readonly Module<Tensor, Tensor> proj_out;
    private readonly bool _isLinear;

    /// <param name="channels">C.</param>
    /// <param name="depth">Transformer blocks.</param>
    public SpatialTransformer(long channels, int depth, TransformerOptions options)
        : base(nameof(SpatialTransformer))
    {
        _isLinear = options.IsLinear;
        norm = Norms.Group(options.Groups, channels, Eps, options.Device);
        proj_in = Projection(channels, options);
        for (var i = 0; i < depth; i++)
            transformer_blocks.Add(new TransformerBlock(channels, options));
        proj_out = Projection(channels, options);
        RegisterComponents();
    }

    /// <summary>The last projection, which training from scratch may begin at zero.</summary>
    public Module Output => proj_out;

    /// <param name="x">Features, [B, C, H, W].</param>
    /// <param name="context">Text, [B, S, D].</param>
    /// <returns>Features, [B, C, H, W].</returns>
    public override Tensor forward(Tensor x, Tensor? context)
    {
        using var scope = NewDisposeScope();
        if (ChannelsLast.Is(x))
            return ChannelsLastTransformed(x, context).MoveToOuterDisposeScope();
        var h = norm.call(x);
        h = _isLinear ? proj_in.call(Tokens(h)) : Tokens(proj_in.call(h)); // [B, H * W, C]
        foreach (var block in transformer_blocks)
            h = block.call(h, context);
        h = _isLinear ? Features(proj_out.call(h), x) : proj_out.call(Features(h, x));
        return (h + x).MoveToOuterDisposeScope();
    }

    private Tensor ChannelsLastTransformed(Tensor x, Tensor? context)
    {
        var h = FastLinear.OfTokens(proj_in, ChannelsLast.Tokens(ChannelsLastNorm.Of(x, norm)));
        foreach (var block in transformer_blocks)
            h = block.call(h, context);
        return ChannelsLast.Features(FastLinear.OfTokens(proj_out, h, ChannelsLast.Tokens(x)), x);
    }

    private static Tensor Tokens(Tensor features) => features.flatten(2).transpose(1, 2);

    private static Tensor Features(Tensor tokens, Tensor like) => tokens.transpose(1, 2).reshape(like.shape);

    private static Module<Tensor, Tensor> Projection(long channels, TransformerOptions options) =>
        options.IsLinear ? Linear(channels, channels, device: options.Device) : Conv2d(channels, channels, 1, device: options.Device);
}
