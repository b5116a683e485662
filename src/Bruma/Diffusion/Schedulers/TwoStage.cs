using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>What the second stage of a step needs of the first: the sample where the step began and its slope there.</summary>
internal sealed class TwoStage : IDisposable
{
    private readonly TensorHistory _start = new(1);
    private readonly TensorHistory _slope = new(1);

    /// <summary>The sample where the step began, [B, C, H, W].</summary>
    public Tensor Start => _start.Count > 0 ? _start[0] : throw new InvalidOperationException("a run starts with the first stage of a step: an even step index");

    /// <summary>The first stage: a plain step along the slope.</summary>
    public Tensor Begin(Tensor sample, Tensor slope, double distance)
    {
        _start.Add(sample);
        _slope.Add(slope);
        return sample + slope * distance;
    }

    /// <summary>The second stage of Heun's method: the mean of both slopes from the start.</summary>
    public Tensor Heun(Tensor slope, double distance) => Start + (_slope[0] + slope) * (distance / 2);

    public void Dispose()
    {
        _start.Dispose();
        _slope.Dispose();
    }
}
