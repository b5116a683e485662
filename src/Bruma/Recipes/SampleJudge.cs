using Bruma.Data;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Measures samples against real pictures, beside what other real pictures reach at the same count.</summary>
public sealed class SampleJudge : IDisposable
{
    private const long Seed = 5;

    private readonly TrainingMeasure _measure;
    private readonly double _floor;

    /// <param name="data">What was trained on, as options say; Fashion-MNIST is measured against its test pictures.</param>
    /// <param name="images">Its pictures at the size of the samples.</param>
    /// <param name="count">Samples of each measurement; at most as many as there are pictures.</param>
    public SampleJudge(string data, TrainingImages images, int count)
    {
        Count = Math.Min(count, images.Count);
        _measure = TrainingMeasure.For(data, images.Pixels, Count, Seed);
        using var scope = NewDisposeScope();
        _floor = Numbers(images.Pixels.index_select(0, tensor(Enumerable.Range(0, Count).Select(i => (long)ShuffledOrder.At(Seed, i, images.Count)).ToArray())))[0];
    }

    public int Count { get; }

    /// <summary>The network whose features are compared.</summary>
    public string Network => _measure.Names[0].Split('-', 2)[^1];

    /// <param name="pictures">uint8 [N, C, H, W].</param>
    public SampleMeasures Measure(Tensor pictures, long step)
    {
        var found = Numbers(pictures);
        return new SampleMeasures(step, Network, (int)pictures.shape[0], found[0], found[1], found[2], found[3], found[4], found[5], _floor);
    }

    public void Dispose() => _measure.Dispose();

    private double[] Numbers(Tensor pictures) => [.. _measure.Of(pictures).Select(number => number.Value)];
}
