using Bruma.Hub;
using Bruma.Recipes;
using Bruma.Tests.Support;
using Bruma.Training;
using Bruma.Transformers;

namespace Bruma.Tests.Recipes;

public sealed class TextTrainingTests
{
    private static readonly RunSettings Run = new(6, BatchSize: 4, CheckpointEvery: 2, SampleEvery: 3, Seed: 5, Threads: 1, LrWarmupSteps: 2);
    private static readonly SequenceOptions Sequence = new("reverse", Run, "relative", Width: 16, Heads: 2, Layers: 1, Inner: 16, ReportExamples: 5, NumBeams: 2);

    [Fact]
    public void An_encoder_decoder_resumes_bit_for_bit_and_its_model_loads()
    {
        using var folder = new TemporaryFolder();
        ResumesExactly(folder, path => SequenceTraining.Start(path, Sequence));
        var whole = Path.Combine(folder.Root, "whole");
        using var generator = TextGenerator.Load(Path.Combine(whole, "model"));
        Assert.True(generator.Rewrites);
        Assert.InRange(generator.Write("abcd", new GenerationOptions(5)).Single().Tokens, 1, 5);
        Assert.Contains("attention-1-layer-1.png", File.ReadAllText(Path.Combine(whole, "report.html")), StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(whole, "samples"), "*.txt").Length);
    }

    [Fact]
    public void A_language_model_resumes_bit_for_bit_and_writes_with_its_own_tokenizer()
    {
        using var folder = new TemporaryFolder();
        var text = folder["text.txt"];
        File.WriteAllText(text, string.Concat(Enumerable.Range(0, 400).Select(i => $"line {i}: the cat sat on mat number {i % 7}.\n")));
        var options = new LanguageModelOptions(text, Run, VocabSize: 300, Context: 16, Width: 16, Heads: 2, Layers: 1, SampleTokens: 8);
        ResumesExactly(folder, path => LanguageModelTraining.Start(path, options));
        using var generator = TextGenerator.Load(Path.Combine(folder.Root, "whole", "model"));
        var greedy = new GenerationOptions(6);
        Assert.Equal(generator.Write("the cat", greedy)[0].Text, string.Concat(generator.Stream("the cat", greedy)));
        var stopped = generator.Write("the cat", greedy, [generator.Write("the cat", greedy)[0].Text[1..3]])[0];
        Assert.Equal((1, true), (stopped.Text.Length, stopped.Ended));

        File.AppendAllText(text, "more");
        Assert.Contains("is no longer what the run", Assert.Throws<BrumaException>(() => TrainingRuns.Resume(Path.Combine(folder.Root, "whole"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_steps_of_an_encoder_decoder_and_of_a_language_model_keep_nothing_alive()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["text.txt"], string.Concat(Enumerable.Range(0, 400).Select(i => $"line {i}: the cat sat on mat number {i % 7}.\n")));
        var run = Run with { Steps = 12, CheckpointEvery = 6, SampleEvery = 4 };
        using (var sequence = SequenceTraining.Start(folder["sequence"], Sequence with { Run = run }))
            Leaks.NoneOver(sequence.Run(TestContext.Current.CancellationToken));
        using var language = LanguageModelTraining.Start(folder["language"], new LanguageModelOptions(folder["text.txt"], run, VocabSize: 300, Context: 16, Width: 16, Heads: 2, Layers: 1, SampleTokens: 8));
        Leaks.NoneOver(language.Run(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Positions_are_compared_in_one_page()
    {
        using var folder = new TemporaryFolder();
        var options = new PositionOptions(Kinds: ["rotary", "none"]).Shortened() with { Steps = 2 };
        var results = new PositionComparison(options).Run(TestContext.Current.CancellationToken).ToList();
        var lines = PositionReport.Write(folder.Root, options, results);
        Assert.Equal(3, lines.Count);
        Assert.All(results, result => Assert.Equal(3, result.Exact.Count));
        Assert.True(new FileInfo(folder["positions.png"]).Length > 1000);
    }

    [Theory]
    [InlineData("--positions")]
    [InlineData("--width")]
    [InlineData("--steps")]
    public void Options_that_no_run_could_have_are_named(string option)
    {
        var wrong = option switch
        {
            "--positions" => Sequence with { Positions = "circular" },
            "--width" => Sequence with { Width = 15 },
            _ => Sequence with { Run = Run with { Steps = 0 } },
        };
        Assert.StartsWith(option, Assert.Throws<BrumaException>(wrong.Checked).Message, StringComparison.Ordinal);
    }

    /// <summary>A run that is stopped twice ends with the same files as one that is not.</summary>
    private static void ResumesExactly(TemporaryFolder folder, Func<string, ITrainingRun> start)
    {
        var (whole, parts) = (Path.Combine(folder.Root, "whole"), Path.Combine(folder.Root, "parts"));
        using (var run = start(whole))
        {
            Assert.Equal(6, run.Run(TestContext.Current.CancellationToken).Count());
            Assert.NotEmpty(run.Finish().ToList());
        }
        using (var run = start(parts))
            foreach (var step in run.Run(TestContext.Current.CancellationToken))
                if (step.Step == 3)
                    break; // killed behind the checkpoint of step 2
        using (var run = TrainingRuns.Resume(parts))
        {
            Assert.Equal(2, run.Step);
            Assert.Equal(4, run.Run(TestContext.Current.CancellationToken).Count());
            Assert.NotEmpty(run.Finish().ToList());
        }
        foreach (var file in new[] { "checkpoints/step-0000006/model.safetensors", "checkpoints/step-0000006/optimizer.safetensors", "model/model.safetensors", "stats.jsonl" })
            Assert.Equal(FileHash.Sha256(Path.Combine(whole, file)), FileHash.Sha256(Path.Combine(parts, file)));
    }
}
