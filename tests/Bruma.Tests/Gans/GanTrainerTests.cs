using Bruma.Data;
using Bruma.Gans;
using Bruma.Nn;
using Bruma.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Gans;

public sealed class GanTrainerTests : IDisposable
{
    private const int Batch = 8;
    private const int Steps = 6;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("hinge")]
    [InlineData("wgan-gp")]
    [InlineData("r3gan")]
    [InlineData("acgan")]
    public void Stopped_and_resumed_runs_end_in_the_same_bytes(string objective)
    {
        var whole = TrainFrom(objective, null, 0, Steps, "whole");
        var first = TrainFrom(objective, null, 0, 2, "part-2");
        var last = TrainFrom(objective, first, 2, Steps, "part-6");
        Assert.Equal(["discriminator.safetensors", "ema.safetensors", "generator.safetensors", "optimizer-d.safetensors", "optimizer-g.safetensors"], Directory.EnumerateFiles(whole).Select(Path.GetFileName).Order());
        foreach (var file in Directory.EnumerateFiles(whole))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(last, Path.GetFileName(file))));
    }

    [Theory]
    [InlineData("hinge")]
    [InlineData("r3gan")]
    public void Both_networks_learn_and_no_tensor_stays_behind(string objective)
    {
        using var game = new Game(objective, 40);
        var counts = new List<long>();
        GanStepReport? last = null;
        foreach (var report in game.Trainer.Run(Real))
        {
            Assert.True(double.IsFinite(report.Loss + report.Discriminator[0].Loss));
            Assert.True(report.GradientNorm > 0);
            last = report;
            counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
        Assert.True(last!.Discriminator[0].Real > last.Discriminator[0].Fake);
        Assert.Equal(counts[9], counts[^1]);
    }

    [Fact]
    public void Looking_at_the_average_changes_nothing()
    {
        using var game = new Game("dcgan", 4);
        using var steps = game.Trainer.Run(Real).GetEnumerator();
        steps.MoveNext();
        game.Trainer.Save(_folder["before/x"][..^2]);
        game.Trainer.WithAverage(() => game.Generator.call(zeros(2, 8), null));
        game.Trainer.Save(_folder["after/x"][..^2]);
        foreach (var file in Directory.EnumerateFiles(_folder["before/x"][..^2]))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file.Replace("before", "after", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_loss_that_is_not_finite_is_said()
    {
        using var game = new Game("dcgan", 4);
        var error = Assert.Throws<BrumaException>(() => game.Trainer.Run(_ => Broken()).ToList());
        Assert.Contains("step 1", error.Message, StringComparison.Ordinal);

        static IEnumerable<ImageBatch> Broken()
        {
            yield return new ImageBatch(full([Batch, 1, 16, 16], float.NaN).DetachFromDisposeScope(), null);
        }
    }

    private string TrainFrom(string objective, string? folder, long step, int until, string name)
    {
        using var game = new Game(objective, Steps);
        if (folder is not null)
            game.Trainer.Restore(folder, step);
        foreach (var report in game.Trainer.Run(Real))
            if (report.Step == until)
                break;
        game.Trainer.Save(Path.Combine(_folder.Root, name));
        return Path.Combine(_folder.Root, name);
    }

    private static IEnumerable<ImageBatch> Real(long first)
    {
        for (var i = first; ; i++)
        {
            using var random = new Generator((ulong)i, CPU);
            yield return new ImageBatch(rand([Batch, 1, 16, 16], generator: random).DetachFromDisposeScope(), randint(0, 3, [Batch], int64, generator: random).DetachFromDisposeScope());
        }
    }

    /// <summary>A small pair of networks and their trainer.</summary>
    private sealed class Game : IDisposable
    {
        private readonly GanDiscriminator _discriminator;

        public Game(string objective, int steps)
        {
            var options = new Bruma.Recipes.GanOptions("", objective, BatchSize: Batch, Resolution: 16, LatentWidth: 8, Steps: steps, EmaDecay: 0.9, DiscriminatorSteps: objective == "wgan-gp" ? 2 : 1, PenaltyEvery: objective == "r3gan" ? 2 : 1, DiffAugment: "color,translation,cutout");
            var recipe = Bruma.Recipes.GanRecipe.Find(objective);
            options = recipe.Settle(options);
            var shape = recipe.Shape(options, 1, 3);
            Generator = new GanGenerator(GanArchitectures.Generator(shape));
            _discriminator = new GanDiscriminator(GanArchitectures.Discriminator(shape));
            using var start = HashedSeed.At(1, 0);
            GanStart.Initialize(Generator, start);
            GanStart.Initialize(_discriminator, start);
            Trainer = new GanTrainer(Generator, _discriminator, new SeededGanNoise(3, Batch, 8, shape.Classes), recipe.TrainerOptions(options));
        }

        public GanGenerator Generator { get; }

        public GanTrainer Trainer { get; }

        public void Dispose()
        {
            Trainer.Dispose();
            Generator.Dispose();
            _discriminator.Dispose();
        }
    }
}
