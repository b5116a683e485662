using Bruma.Data;
using Bruma.Gans;
using Bruma.Nn;
using Bruma.Recipes;
using static TorchSharp.torch;

namespace Bruma.Benchmarks;

/// <summary>Whole steps of the game on 28x28 pictures, batch 64, fp32: both networks, spectral norms, Adam, average.</summary>
internal sealed class GanBenchmark : IDisposable
{
    /// <summary>Of one image in a step with one discriminator update, as convolutions count: three passes over the generator, eight over the discriminator.</summary>
    public const double GigaflopsPerImage = 0.33;

    public const int BatchSize = 64;

    private readonly GanGenerator _generator;
    private readonly GanDiscriminator _discriminator;
    private readonly GanTrainer _trainer;
    private readonly IEnumerator<GanStepReport> _steps;

    public GanBenchmark(string objective)
    {
        var recipe = GanRecipe.Find(objective);
        var options = recipe.Settle(new GanOptions("", objective, BatchSize: BatchSize, Resolution: 28, Steps: int.MaxValue));
        var shape = recipe.Shape(options, channels: 1, classes: 0);
        _generator = new GanGenerator(GanArchitectures.Generator(shape));
        _discriminator = new GanDiscriminator(GanArchitectures.Discriminator(shape));
        using (var start = HashedSeed.At(1, 0))
        {
            GanStart.Initialize(_generator, start);
            GanStart.Initialize(_discriminator, start);
        }
        _trainer = new GanTrainer(_generator, _discriminator, new SeededGanNoise(1, BatchSize, options.LatentWidth, 0), recipe.TrainerOptions(options));
        _steps = _trainer.Run(Batches).GetEnumerator();
    }

    public void Step() => _steps.MoveNext();

    public void Dispose()
    {
        _steps.Dispose();
        _trainer.Dispose();
        _generator.Dispose();
        _discriminator.Dispose();
    }

    private static IEnumerable<ImageBatch> Batches(long first)
    {
        using var random = new Generator(1, CPU);
        while (true)
            yield return new ImageBatch((rand([BatchSize, 1, 28, 28], generator: random) * 2 - 1).DetachFromDisposeScope(), null);
    }
}
