using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Euler steps along the learned velocity.</summary>
/// <remarks>With <c>stochastic_sampling</c> each step goes to the predicted x0 and noises it anew.</remarks>
public sealed class FlowMatchEulerScheduler(SchedulerConfig config, int steps) : FlowMatchScheduler(config, steps)
{
    public override Tensor Step(Tensor prediction, int step, Tensor sample, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var (sigma, next) = (Sigmas[step], Sigmas[step + 1]);
        var result = Config.StochasticSampling
            ? Denoised(prediction, step, sample) * (1 - next) + noise(sample.shape) * next
            : sample + prediction * (next - sigma);
        return result.MoveToOuterDisposeScope();
    }
}
