using Bruma.Nn;
using Bruma.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private const int Steps = 12;

    private readonly string _root = Directory.CreateTempSubdirectory("bruma-trainer-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Stopped_and_resumed_runs_end_in_the_same_bytes(ScalarType precision)
    {
        var whole = TrainFrom(null, 0, Steps, precision, "whole");
        var first = TrainFrom(null, 0, 3, precision, "part-3");
        var second = TrainFrom(first, 3, 8, precision, "part-8");
        var third = TrainFrom(second, 8, Steps, precision, "part-12");
        foreach (var file in Directory.EnumerateFiles(whole))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(third, Path.GetFileName(file))));
    }

    [Fact]
    public void Training_keeps_no_tensor_per_step()
    {
        using var trainer = Build(ScalarType.BFloat16, 60);
        var counts = new List<long>();
        foreach (var report in trainer.Run(Batches))
            counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(counts[9], counts[^1]);
    }

    [Fact]
    public void The_update_is_that_of_AdamW_with_clipping()
    {
        using var scope = NewDisposeScope();
        using var ours = Network(dropout: 0, normed: false);
        using var theirs = Network(dropout: 0, normed: false);
        var reference = optim.AdamW(theirs.parameters(), lr: 0.01, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0);
        using var trainer = new Trainer<Batch>(ours, (batch, _) => Loss(ours, batch.X), Options(5) with { GradientAccumulation = 1, Optimizer = new AdamWOptions(0.01, WeightDecay: 0), Schedule = new LearningRateSchedule("constant", 0.01) });
        foreach (var (report, batch) in trainer.Run(Fixed).Zip(Fixed(0)))
        {
            reference.zero_grad();
            Loss(theirs, batch.X).backward();
            nn.utils.clip_grad_norm_(theirs.parameters(), 1);
            reference.step();
        }
        foreach (var (a, b) in ours.parameters().Zip(theirs.parameters()))
            Assert.True(a.allclose(b, rtol: 1e-5, atol: 1e-6));
    }

    private static IEnumerable<Batch> Fixed(long first)
    {
        for (var i = first; ; i++)
            yield return new Batch(randn([6, 5], generator: new Generator((ulong)i, CPU)).DetachFromDisposeScope());
    }

    private string TrainFrom(string? folder, long step, int until, ScalarType precision, string name)
    {
        using var trainer = Build(precision, Steps);
        if (folder is not null)
            trainer.Restore(folder, step);
        foreach (var report in trainer.Run(Batches))
            if (report.Step == until)
                break;
        var target = Path.Combine(_root, name);
        trainer.Save(target);
        return target;
    }

    private static Trainer<Batch> Build(ScalarType precision, int steps)
    {
        var network = Network();
        return new Trainer<Batch>(network, (batch, random) => Loss(network, batch.X + 0.1 * randn(batch.X.shape, generator: random)), Options(steps), precision);
    }

    private static TrainerOptions Options(int steps) => new(steps, new LearningRateSchedule("cosine", 0.01, 2, steps), new AdamWOptions(0.01), new EmaOptions(0.9), GradientAccumulation: 2, Seed: 7);

    private static TorchSharp.Modules.Sequential Network(double dropout = 0.2, bool normed = true)
    {
        var network = nn.Sequential(nn.Linear(5, 16), normed ? nn.BatchNorm1d(16) : nn.Identity(), nn.ReLU(), new SeededDropout(dropout), nn.Linear(16, 2));
        using var generator = new Generator(3, CPU); // tests beside this one draw from the global generator
        Initialization.Reset(network, generator);
        return network;
    }

    private static Tensor Loss(nn.Module<Tensor, Tensor> network, Tensor x)
    {
        var output = network.call(x.to(network.parameters().First().dtype)).to(float32);
        return (output - x.narrow(1, 0, 2)).square().mean();
    }

    private static IEnumerable<Batch> Batches(long first) => Fixed(first);

    private sealed class Batch(Tensor x) : IDisposable
    {
        public Tensor X { get; } = x;

        public void Dispose() => X.Dispose();
    }
}
