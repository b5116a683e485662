using Bruma.Data;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Real pictures in the features of a network, ready to measure samples against.</summary>
public sealed class SampleJudge : IDisposable
{
    public SampleJudge(ImageSource source, TrainingImages images, int count)
    {
        Count = Math.Min(count, images.Count);
        throw new BrumaException($"{source.Name}: this build has no feature network to measure samples with; take --evaluate-samples 0.");
    }

    public int Count { get; }

    public SampleMeasures Measure(Tensor pictures, long step) => throw new NotSupportedException($"{pictures.shape[0]} pictures of step {step}");

    public void Dispose()
    {
    }
}
