using Bruma.Data;
using Bruma.Nn;
using Bruma.Training;
using Bruma.Vision;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>A judge of class-conditional samples: a small classifier trained on the same pictures.</summary>
public sealed class ClassAccuracy : IDisposable
{
    private const int Steps = 900;
    private const int BatchSize = 128;
    private const long Seed = 1;

    private readonly SmallClassifier _classifier;

    private ClassAccuracy(SmallClassifier classifier) => _classifier = classifier;

    /// <summary>Trains the judge: about a minute and a half for Fashion-MNIST on two cores.</summary>
    /// <param name="mostSteps">Fewer steps for a run that was itself short.</param>
    public static ClassAccuracy Train(TrainingImages images, int classes, BatchOptions like, int mostSteps)
    {
        var classifier = new SmallClassifier((int)images.Pixels.shape[1], classes);
        using (var start = HashedSeed.At(Seed, 0))
            classifier.Initialize(start);
        var steps = Math.Min(Steps, mostSteps);
        var batchSize = Math.Min(BatchSize, images.Count);
        using var trainer = new Trainer<ImageBatch>(classifier, (batch, _) => nn.functional.cross_entropy(classifier.call(batch.Images), batch.Classes!, label_smoothing: 0.05),
            new TrainerOptions(steps, new LearningRateSchedule("linear", 2e-3, Math.Min(50, steps / 10), steps), new AdamWOptions(2e-3, Beta2: 0.999), null, Seed: Seed));
        foreach (var _ in trainer.Run(new ImageBatches(images, like with { BatchSize = batchSize, Seed = Seed }).From))
        {
        }
        classifier.eval();
        return new ClassAccuracy(classifier);
    }

    /// <summary>Share of pictures that are taken for their class.</summary>
    /// <param name="pictures">fp32 [N, C, H, W] in [-1, 1].</param>
    /// <param name="classes">int64 [N].</param>
    public double Of(Tensor pictures, Tensor classes)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var right = 0L;
        for (var at = 0L; at < pictures.shape[0]; at += BatchSize)
        {
            using var part = NewDisposeScope();
            var count = Math.Min(BatchSize, pictures.shape[0] - at);
            right += (_classifier.call(pictures.narrow(0, at, count)).argmax(1) == classes.narrow(0, at, count)).sum().item<long>();
        }
        return (double)right / pictures.shape[0];
    }

    public void Dispose() => _classifier.Dispose();
}
