using System.Text.Json;
using Bruma.Imaging;
using Bruma.Nn;
using Bruma.Recipes.Finetuning;
using Bruma.Tests.Support;
using Bruma.Transformers.Embeddings;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes;

public sealed class FinetuneTaskTests
{
    [Theory]
    [InlineData("probe")]
    [InlineData("full")]
    [InlineData("lora")]
    public void A_vision_transformer_learns_pictures(string strategy)
    {
        using var folder = new TemporaryFolder();
        var data = Path.Combine(folder.Root, "pictures");
        for (var i = 0; i < 24; i++)
        {
            using var scope = NewDisposeScope();
            using var random = HashedSeed.At(i);
            var noise = randint(0, 60, [3, 40, 40], generator: random);
            noise.select(0, i % 2).add_(150); // reddish or greenish
            PngFile.Write(folder[$"pictures/{(i % 2 == 0 ? "red" : "green")}/{i}.png"], noise.to(uint8));
        }
        var run = Path.Combine(folder.Root, "run");
        var model = Path.Combine(Repository.Goldens, "models", "vit", "model");
        using (var training = FinetuneTraining.Start(run, new FinetuneOptions(model, data, Strategy: strategy, Epochs: 10, BatchSize: 8, LearningRate: 3e-3)))
        {
            foreach (var _ in training.Run())
            {
            }
            Assert.NotEmpty(training.Finish());
        }
        using var predictor = Predictor.Load(Path.Combine(run, "model"));
        Assert.True(predictor.TakesPictures);
        Assert.Equal("red", predictor.Predict(Path.Combine(data, "red", "0.png"))[0].Label);
        Assert.Equal("green", predictor.Predict(Path.Combine(data, "green", "1.png"))[0].Label);
    }

    [Fact]
    public void Vectors_of_pairs_come_as_near_as_their_degrees_say()
    {
        using var folder = new TemporaryFolder();
        var model = TinyBert.Write(folder);
        string[] animals = ["cat", "dog", "cow", "hen"], tools = ["saw", "axe", "drill", "file"];
        File.WriteAllLines(folder["pairs.jsonl"], Enumerable.Range(0, 64).Select(i =>
        {
            var (a, b) = (i % 4 < 2 ? animals : tools, i % 4 is 0 or 3 ? animals : tools);
            return JsonSerializer.Serialize(new { sentence1 = $"the {a[i / 4 % 4]}", sentence2 = $"a {b[i / 16 % 4]}", score = ReferenceEquals(a, b) ? 5 : 0 });
        }));
        using var training = FinetuneTraining.Start(Path.Combine(folder.Root, "run"), new FinetuneOptions(model, folder["pairs.jsonl"], Strategy: "full", Epochs: 30, BatchSize: 16, LearningRate: 5e-3, Dropout: 0));
        var losses = training.Run().Select(report => report.Loss).ToList();
        Assert.True(losses[^1] < 0.5 * losses[0], $"{losses[0]} to {losses[^1]}");
        Assert.Contains("spearman", string.Concat(training.Finish()), StringComparison.Ordinal);
        using var again = SentenceEmbedder.Load(Path.Combine(folder.Root, "run", "model"));
        Assert.Equal(16, again.Width);
    }

    [Fact]
    public void A_strategy_without_a_head_to_train_is_refused_for_pairs()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["pairs.tsv"], string.Concat(Enumerable.Range(0, 12).Select(i => i == 0 ? "sentence1\tsentence2\tscore\n" : $"the cat\ta dog\t{i % 2}\n")));
        var options = new FinetuneOptions(TinyBert.Write(folder), folder["pairs.tsv"], Strategy: "probe");
        Assert.Contains("--strategy probe", Assert.Throws<BrumaException>(() => FinetuneTraining.Start(Path.Combine(folder.Root, "run"), options)).Message, StringComparison.Ordinal);
    }
}
