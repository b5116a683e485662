using Bruma.Diffusion;
using Bruma.Nn;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Speed;

/// <summary>A network, its batch, and what PyTorch reaches with it.</summary>
/// <param name="GigaflopsPerStep">Forward and backward of one batch.</param>
/// <param name="PyTorchShare">Best PyTorch eager, as a share of the bf16 matrix rate.</param>
/// <param name="Goal">The share that Bruma aims at.</param>
public sealed record TrainedNetwork(string Name, UNet2DConfig Config, int BatchSize, double GigaflopsPerStep, double PyTorchShare, double Goal)
{
    /// <summary>28x28, 1.62 M parameters.</summary>
    public static readonly TrainedNetwork Ddpm28 = new(
        "DDPM U-Net 28x28, 1.62 M",
        new UNet2DConfig(28, 1, 1, BlockOutChannels: [32, 64, 64], DownBlockTypes: ["DownBlock2D", "DownBlock2D", "AttnDownBlock2D"], UpBlockTypes: ["AttnUpBlock2D", "UpBlock2D", "UpBlock2D"]),
        128, 211, 0.28, 0.38);
}

/// <summary>Whole training steps: batch, noise, forward, backward, clipping, AdamW, EMA.</summary>
public sealed class TrainingSpeed : IDisposable
{
    private readonly TrainedNetwork _what;
    private readonly UNet2DModel _network;
    private readonly Trainer<Pictures> _trainer;
    private readonly IEnumerator<StepReport> _steps;

    public TrainingSpeed(TrainedNetwork what, ScalarType precision)
    {
        _what = what;
        _network = new UNet2DModel(what.Config);
        using (var start = HashedSeed.At(1, 0))
            _network.Initialize(start, zeroOutputs: false);
        var objective = new DiffusionObjective(Bruma.Diffusion.Schedulers.PredictionType.Flow, null);
        _trainer = new Trainer<Pictures>(_network, (batch, random) => objective.Loss((sample, times) => _network.forward(sample, times), batch.Values, random),
            new TrainerOptions(int.MaxValue, new LearningRateSchedule("constant", 1e-4), new AdamWOptions(1e-4), new EmaOptions(0.999)), precision);
        _steps = _trainer.Run(Batches).GetEnumerator();
    }

    public UNet2DModel Network => _network;

    public FlatParameters Parameters => _trainer.Parameters;

    public void Step() => _steps.MoveNext();

    /// <summary>Only clipping, AdamW and EMA.</summary>
    public double OptimizerSeconds(double seconds)
    {
        using var gradient = Parameters.Gradient.clone();
        using var average = Parameters.Master.clone();
        using var optimizer = new AdamW(Parameters, new AdamWOptions(1e-4));
        var step = 0;
        return Timing.Median(() => optimizer.Step(new OptimizerStep(gradient, 1, ++step, 0, (average, 0.999))), seconds);
    }

    public void Dispose()
    {
        _steps.Dispose();
        _trainer.Dispose();
        _network.Dispose();
    }

    private IEnumerable<Pictures> Batches(long first)
    {
        using var random = new Generator(1, CPU);
        while (true)
            yield return new Pictures(randn([_what.BatchSize, _what.Config.InChannels, _what.Config.SampleSize!.Value.Height, _what.Config.SampleSize.Value.Width], generator: random).DetachFromDisposeScope());
    }

    private sealed record Pictures(Tensor Values) : IDisposable
    {
        public void Dispose() => Values.Dispose();
    }
}
