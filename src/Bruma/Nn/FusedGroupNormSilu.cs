using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>The fused kernel as a differentiable function: of x, shift (or null), weight, bias; then groups and epsilon.</summary>
internal sealed class FusedGroupNormSilu : autograd.SingleTensorFunction<FusedGroupNormSilu>
{
    public override string Name => nameof(FusedGroupNormSilu);

    /// <summary>Whether the kernel has the type: other devices and types go through libtorch.</summary>
    public static bool Takes(Tensor x) => x.device.type == TorchSharp.DeviceType.CPU && x.dtype is ScalarType.Float32 or ScalarType.BFloat16 && x.dim() == 4;

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, shift, weight, bias) = ((Tensor)vars[0], (Tensor?)vars[1], (Tensor)vars[2], (Tensor)vars[3]);
        var (groups, eps) = ((int)vars[4], (float)vars[5]);
        var y = empty_like(x);
        var statistics = empty(x.shape[0], groups, 2);
        var call = Call(x, shift, weight, bias, statistics, groups, eps);
        if (x.dtype == ScalarType.BFloat16)
            GroupNormSiluKernel<BFloat16Lanes>.Forward(call, TensorMemory.Address(y));
        else
            GroupNormSiluKernel<Float32Lanes>.Forward(call, TensorMemory.Address(y));
        ctx.save_for_backward(shift is null ? [x, weight, bias, statistics] : [x, weight, bias, statistics, shift]);
        ctx.save_data(nameof(groups), groups);
        ctx.save_data(nameof(eps), eps);
        return y;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var saved = ctx.get_saved_variables();
        var (x, shift) = (saved[0], saved.Count > 4 ? saved[4] : null);
        var call = Call(x, shift, saved[1], saved[2], saved[3], (int)ctx.get_data("groups"), (float)ctx.get_data("eps"));
        var gradient = grad_output.to(x.dtype).contiguous();
        var dx = empty_like(x);
        var sums = empty(3, x.shape[0], x.shape[1]);
        if (x.dtype == ScalarType.BFloat16)
            GroupNormSiluKernel<BFloat16Lanes>.Backward(call, TensorMemory.Address(gradient), TensorMemory.Address(dx), TensorMemory.Address(sums));
        else
            GroupNormSiluKernel<Float32Lanes>.Backward(call, TensorMemory.Address(gradient), TensorMemory.Address(dx), TensorMemory.Address(sums));

        var weights = sums.narrow(0, 0, 2).sum(1).to(x.dtype); // over the batch, [2, C]
        grad_output.Dispose(); // made for this call alone
        return HandedOver.Keep([dx, shift is null ? null : sums[2].to(x.dtype), weights[0].clone(), weights[1].clone(), null, null]);
    }

    private static NormCall Call(Tensor x, Tensor? shift, Tensor weight, Tensor bias, Tensor statistics, int groups, float eps) => new(
        TensorMemory.Address(x), shift is null ? 0 : TensorMemory.Address(shift), TensorMemory.Address(weight), TensorMemory.Address(bias), TensorMemory.Address(statistics),
        (int)x.shape[0], (int)x.shape[1], (int)(x.shape[2] * x.shape[3]), groups, eps);
}
