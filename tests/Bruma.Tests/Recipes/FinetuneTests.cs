using Bruma.Adapters;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Recipes.Finetuning;
using Bruma.Tests.Support;
using Bruma.Transformers;
using Bruma.Transformers.Embeddings;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes;

public sealed class FinetuneTests
{
    [Theory]
    [InlineData("probe")]
    [InlineData("head")]
    [InlineData("last-1")]
    [InlineData("full")]
    [InlineData("lora")]
    [InlineData("gradual")]
    [InlineData("layerwise")]
    public void Every_strategy_learns_and_its_model_loads_again(string strategy)
    {
        using var folder = new TemporaryFolder();
        var options = Options(folder) with { Strategy = strategy, LearningRate = strategy == "head" ? 0.3 : 0.01, Epochs = strategy == "head" ? 40 : 12 };
        var run = Path.Combine(folder.Root, "run");
        using (var training = FinetuneTraining.Start(run, options))
        {
            Assert.All(training.Run(), report => Assert.True(double.IsFinite(report.Loss)));
            Assert.Equal(training.Steps, training.Step);
            Assert.NotEmpty(training.Finish());
            Assert.True(training.Finished);
        }
        using var predictor = Predictor.Load(Path.Combine(run, "model"));
        Assert.Equal("animal", predictor.Predict("the old cat is here .")[0].Label);
        Assert.Equal("tool", predictor.Predict("the big saw is there .")[0].Label);
    }

    [Theory]
    [InlineData("full", 0)]
    [InlineData("lora", 2)]
    [InlineData("gradual", 0)]
    public void A_resumed_run_ends_in_the_same_bits(string strategy, int patience)
    {
        using var folder = new TemporaryFolder();
        var options = Options(folder) with { Strategy = strategy, Epochs = 3, CheckpointEvery = 2, Patience = patience };
        var (whole, parts) = (Path.Combine(folder.Root, "whole"), Path.Combine(folder.Root, "parts"));
        using (var training = FinetuneTraining.Start(whole, options))
            Finish(training);
        using (var training = FinetuneTraining.Start(parts, options))
            foreach (var report in training.Run())
                if (report.Step == 5)
                    break; // as if killed: the newest checkpoint is that of step 4
        using (var training = FinetuneTraining.Resume(parts))
        {
            Assert.Equal(4, training.Step);
            Finish(training);
        }
        Assert.Equal(FileHash.Sha256(Path.Combine(whole, "model", "model.safetensors")), FileHash.Sha256(Path.Combine(parts, "model", "model.safetensors")));
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "stats.jsonl")), File.ReadAllText(Path.Combine(parts, "stats.jsonl")));
    }

    [Fact]
    public void The_adapter_of_a_LoRA_run_on_its_base_is_the_merged_model()
    {
        using var folder = new TemporaryFolder();
        var options = Options(folder) with { Strategy = "lora", Epochs = 2 };
        var run = Path.Combine(folder.Root, "run");
        using (var training = FinetuneTraining.Start(run, options))
            Finish(training);

        using var scope = NewDisposeScope();
        using var merged = TextClassifier.Load(Path.Combine(run, "model"));
        using var again = new TextClassifier(BertModel.Load(options.Model), 2, Pooling.Mean);
        var components = new Dictionary<string, nn.Module> { [""] = again };
        using (var adapter = LoraFile.Load(Path.Combine(run, "adapter"), components))
        using (var merge = new LoraMerge(components))
            merge.Apply([(adapter.Updates, 1.0)]);
        var (weight, other) = (merged.state_dict()["bert.encoder.layer.1.attention.self.query.weight"], again.state_dict()["bert.encoder.layer.1.attention.self.query.weight"]);
        Assert.True((weight - other).abs().max().item<float>() < 1e-6f);
    }

    [Fact]
    public void Accumulated_micro_batches_give_the_large_batch()
    {
        using var folder = new TemporaryFolder();
        var options = Options(folder) with { Strategy = "full", Epochs = 2, Dropout = 0 };
        var losses = new[] { (8, 1), (4, 2), (2, 4) }.Select((shape, i) =>
        {
            using var training = FinetuneTraining.Start(Path.Combine(folder.Root, $"run{i}"), options with { BatchSize = shape.Item1, GradientAccumulationSteps = shape.Item2 });
            return training.Run().Select(report => report.Loss).ToList();
        }).ToList();
        for (var step = 0; step < losses[0].Count; step++)
            Assert.All(losses, run => Assert.Equal(losses[0][step], run[step], 1e-4));
    }

    [Fact]
    public void Gradient_checkpointing_changes_no_bit()
    {
        using var folder = new TemporaryFolder();
        var options = Options(folder) with { Strategy = "last-1", Epochs = 1 };
        var losses = new[] { false, true }.Select(checkpointed =>
        {
            using var training = FinetuneTraining.Start(Path.Combine(folder.Root, $"run{checkpointed}"), options with { GradientCheckpointing = checkpointed });
            return training.Run().Select(report => (report.Loss, report.GradientNorm)).ToList();
        }).ToList();
        Assert.Equal(losses[0], losses[1]);
    }

    [Theory]
    [InlineData("full")]
    [InlineData("lora")]
    [InlineData("gradual")]
    [InlineData("head")]
    public void Training_steps_keep_nothing_alive(string strategy)
    {
        using var folder = new TemporaryFolder();
        using var training = FinetuneTraining.Start(folder["run"], Options(folder) with { Strategy = strategy, Epochs = 4, CheckpointEvery = 3, Patience = 9, GradientAccumulationSteps = strategy == "full" ? 2 : 1 });
        Leaks.NoneOver(training.Run(TestContext.Current.CancellationToken), first: (int)training.Steps / 2);
    }

    [Fact]
    public void Early_stopping_ends_the_run_and_keeps_the_best()
    {
        using var folder = new TemporaryFolder();
        using var training = FinetuneTraining.Start(Path.Combine(folder.Root, "run"), Options(folder) with { Strategy = "head", LearningRate = 0.3, Epochs = 60, Patience = 2 });
        Finish(training);
        Assert.True(training.Steps < 60 * 6);
    }

    [Theory]
    [InlineData("{\"text\": \"a cat\"}", "row 2", "\"label\"")]
    [InlineData("{\"label\": \"animal\"}", "row 2", "\"text\"")]
    [InlineData("", "row 2", "empty")]
    [InlineData("a cat", "row 2", "JSON")]
    [InlineData("{\"text\": \" \", \"label\": \"animal\"}", "row 2", "empty")]
    public void A_bad_row_is_named(string row, params string[] named)
    {
        using var folder = new TemporaryFolder();
        var options = Options(folder);
        File.WriteAllText(options.Data, $"{{\"text\": \"a dog\", \"label\": \"animal\"}}\n{row}\n{{\"text\": \"a saw\", \"label\": \"tool\"}}\n");
        var message = Assert.Throws<BrumaException>(() => FinetuneTraining.Start(Path.Combine(folder.Root, "run"), options)).Message;
        Assert.All(named, part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.False(Directory.Exists(Path.Combine(folder.Root, "run")));
    }

    [Fact]
    public void One_class_a_foreign_tokenizer_and_a_wrong_network_are_refused_with_names()
    {
        using var folder = new TemporaryFolder();
        var options = Options(folder);
        var run = Path.Combine(folder.Root, "run");
        string Message() => Assert.Throws<BrumaException>(() => FinetuneTraining.Start(run, options)).Message;

        var texts = File.ReadAllLines(options.Data);
        File.WriteAllLines(options.Data, texts.Where(line => line.Contains("animal", StringComparison.Ordinal)));
        Assert.Contains("\"animal\"", Message(), StringComparison.Ordinal);
        File.WriteAllLines(options.Data, texts);

        var vocabulary = Path.Combine(options.Model, "vocab.txt");
        File.AppendAllLines(vocabulary, ["more", "words"]);
        Assert.Contains("another model", Message(), StringComparison.Ordinal);
        File.WriteAllLines(vocabulary, File.ReadAllLines(vocabulary)[..^2]);

        var config = Path.Combine(options.Model, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"num_hidden_layers\":2", "\"num_hidden_layers\":3", StringComparison.Ordinal));
        Assert.Contains("encoder.layer.2", Message(), StringComparison.Ordinal);
    }

    [Fact]
    public void Tables_are_read_with_quotes_and_pairs()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["t.csv"], "text,label\r\n\"one, \"\"two\"\"\nthree\",a\r\nfour,b\r\n");
        var rows = LabelledTexts.Read(folder["t.csv"]);
        Assert.Equal(["one, \"two\"\nthree", "four"], rows.Select(row => row.Text));
        File.WriteAllText(folder["t.tsv"], "sentence1\tsentence2\tscore\nx\ty\t4.5\n");
        Assert.Equal(("x", "y", "4.5"), LabelledTexts.Read(folder["t.tsv"]).Select(row => (row.Text, row.Pair, row.Label)).Single());
        Assert.Equal(FinetuneTasks.PairSimilarity, FinetuneTasks.Guess(folder["t.tsv"]));
        File.WriteAllText(folder["bad.csv"], "text,label\na,b,c\n");
        Assert.Contains("row 2", Assert.Throws<BrumaException>(() => LabelledTexts.Read(folder["bad.csv"])).Message, StringComparison.Ordinal);
    }

    private static FinetuneOptions Options(TemporaryFolder folder) =>
        new(TinyBert.Write(folder), TinyBert.WriteTexts(folder), FinetuneTasks.TextClassification, Strategy: "full", LearningRate: 0.003, BatchSize: 8, Pooling: "mean", LoraRank: 4);

    private static void Finish(FinetuneTraining training)
    {
        foreach (var _ in training.Run())
        {
        }
        Assert.NotEmpty(training.Finish());
    }
}
