using static TorchSharp.torch;

namespace Bruma.Recipes.Speed;

/// <summary>Times work and a roof of the hardware in turns: on a shared machine, whose speed changes from second to second, only neighbours can be compared.</summary>
public static class PairedTiming
{
    /// <param name="gigaflops">Of one call of the work.</param>
    /// <param name="ofMatrix">Whether the roof is the matrix product of 2048, else the convolution of <see cref="MachineRates"/>.</param>
    /// <returns>Seconds of a call and its share of the roof's rate: medians of the turns.</returns>
    public static (double Seconds, double Share) Share(Action work, double gigaflops, ScalarType type, bool ofMatrix, double seconds)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (roof, roofGigaflops) = ofMatrix ? MachineRates.MatrixWork(type) : MachineRates.ConvolutionWork(type);
        Timing.Best(roof, 0.2);
        Timing.Best(work, 0);
        List<double> times = [], shares = [];
        for (var watch = System.Diagnostics.Stopwatch.StartNew(); times.Count < 3 || watch.Elapsed.TotalSeconds < seconds;)
        {
            var (before, own, after) = (Timing.Once(roof), Timing.Once(work), Timing.Once(roof));
            times.Add(own);
            shares.Add(gigaflops / own * (before + after) / 2 / roofGigaflops);
        }
        return (Timing.Middle(times), Timing.Middle(shares));
    }
}
