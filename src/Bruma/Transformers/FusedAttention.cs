using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>Attention whose queries, keys and values come from one matrix, under the checkpoint keys of torch.nn.MultiheadAttention.</summary>
public sealed class FusedAttention : HeadedAttention
{
    private readonly Parameter in_proj_weight;
    private readonly Parameter in_proj_bias;
    private readonly Linear out_proj;
    private readonly long _width;

    public FusedAttention(AttentionPlan plan, Device? device = null)
        : base(nameof(FusedAttention), plan)
    {
        _width = plan.Width;
        in_proj_weight = Parameter(zeros(3 * plan.Width, plan.Width, device: device));
        in_proj_bias = Parameter(zeros(3 * plan.Width, device: device));
        out_proj = Linear(plan.Width, plan.Width, device: device);
        RegisterComponents();
    }

    /// <summary>torch's start: Glorot's bound for the fused matrix, biases 0.</summary>
    public void Reset(Generator generator)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        Initialization.Glorot(in_proj_weight, generator);
        in_proj_bias.zero_();
        out_proj.bias!.zero_();
    }

    protected override (Tensor Query, Tensor Key, Tensor Value) Project(Tensor x, Tensor? context)
    {
        if (context is null)
        {
            var parts = functional.linear(x, in_proj_weight, in_proj_bias).chunk(3, -1);
            return (parts[0], parts[1], parts[2]);
        }
        var both = functional.linear(context, in_proj_weight.narrow(0, _width, 2 * _width), in_proj_bias.narrow(0, _width, 2 * _width)).chunk(2, -1);
        return (ProjectQuery(x), both[0], both[1]);
    }

    protected override Tensor ProjectQuery(Tensor x) => functional.linear(x, in_proj_weight.narrow(0, 0, _width), in_proj_bias.narrow(0, 0, _width));

    protected override Tensor ProjectOutput(Tensor mixed) => out_proj.call(mixed);
}
