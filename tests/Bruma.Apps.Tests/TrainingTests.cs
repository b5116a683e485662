using System.Security.Cryptography;
using System.Text.Json;
using Bruma.Apps.Tests.Support;

namespace Bruma.Apps.Tests;

/// <summary>The promise of the README: a run that was killed and resumed ends in the same bits as one that was not.</summary>
public sealed class TrainingTests : IDisposable
{
    private const int Steps = 9;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_killed_twice_and_resumed_ends_in_the_same_bits()
    {
        var data = _folder.Pictures(6);
        var whole = Train(data, "whole");
        Assert.Equal(0, whole.Code);
        Assert.Contains("broken.jpg", whole.Output + whole.Error, StringComparison.Ordinal);

        var killed = _folder.At("killed");
        KillAfter(1, BrumaProgram.Start(Arguments(data, killed)), killed);
        KillAfter(5, BrumaProgram.Start("resume", killed), killed);
        var resumed = BrumaProgram.Run("resume", killed);
        Assert.True(resumed.Code == 0, resumed.Error);

        foreach (var file in new[] { "model", "ema", "optimizer" })
            Assert.Equal(Sum(_folder.At("whole", "checkpoints", $"step-{Steps:D7}", $"{file}.safetensors")), Sum(Path.Combine(killed, "checkpoints", $"step-{Steps:D7}", $"{file}.safetensors")));
        Assert.Equal(Enumerable.Range(1, Steps), StepsIn(Path.Combine(killed, "stats.jsonl")));
        Assert.All(Directory.EnumerateFileSystemEntries(Path.Combine(killed, "checkpoints")), entry => Assert.StartsWith("step-", Path.GetFileName(entry), StringComparison.Ordinal));

        var again = BrumaProgram.Run("resume", killed);
        Assert.Equal(0, again.Code);
        Assert.Contains("finished", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_killed_game_of_two_networks_ends_in_the_same_bits()
    {
        var data = _folder.Pictures(6);
        string[] Game(string output) =>
        [
            "train", "gan", "--data", data, "--output", output, "--objective", "projection", "--steps", "8", "--batch-size", "4", "--checkpoint-every", "2", "--checkpoints-total-limit", "1",
            "--resolution", "16", "--seed", "1", "--evaluate-samples", "0", "--threads", "1",
        ];
        var whole = BrumaProgram.Run(Game(_folder.At("whole")));
        Assert.True(whole.Code == 0, whole.Error);
        var killed = _folder.At("killed");
        KillAfter(3, BrumaProgram.Start(Game(killed)), killed);
        var resumed = BrumaProgram.Run("resume", killed);
        Assert.True(resumed.Code == 0, resumed.Error);
        foreach (var file in new[] { "generator", "discriminator", "ema", "optimizer-g", "optimizer-d" })
            Assert.Equal(Sum(_folder.At("whole", "checkpoints", "step-0000008", $"{file}.safetensors")), Sum(Path.Combine(killed, "checkpoints", "step-0000008", $"{file}.safetensors")));
        Assert.Equal(Sum(_folder.At("whole", "model", "generator", "model.safetensors")), Sum(Path.Combine(killed, "model", "generator", "model.safetensors")));
        Assert.True(File.Exists(Path.Combine(killed, "learning.png")));
        Assert.Contains("What the numbers say", File.ReadAllText(Path.Combine(killed, "report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void Ctrl_C_finishes_the_step_saves_and_says_how_to_go_on()
    {
        var run = _folder.At("run");
        using var process = BrumaProgram.Start(Arguments(_folder.Pictures(4), run, steps: 100_000));
        Wait(process, run, 2);
        using (var interrupt = System.Diagnostics.Process.Start("kill", ["-INT", $"{process.Id}"]))
            interrupt.WaitForExit();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
        Assert.Contains($"bruma resume {run}", error, StringComparison.Ordinal);
        var last = StepsIn(Path.Combine(run, "stats.jsonl"))[^1];
        Assert.EndsWith($"step-{last:D7}", Directory.EnumerateDirectories(Path.Combine(run, "checkpoints")).Order(StringComparer.Ordinal).Last(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trained_model_draws_the_same_bytes_for_the_same_seed()
    {
        var run = Train(_folder.Pictures(4), "run");
        Assert.Equal(0, run.Code);
        foreach (var name in new[] { "a.png", "b.png" })
        {
            var drawn = BrumaProgram.Run("generate", "--model", _folder.At("run"), "--class", "circle", "--count", "2", "--seed", "5", "--steps", "3", "--output", _folder.At(name));
            Assert.True(drawn.Code == 0, drawn.Error);
        }
        Assert.Equal(File.ReadAllBytes(_folder.At("a.png")), File.ReadAllBytes(_folder.At("b.png")));

        var wrong = BrumaProgram.Run("generate", "--model", _folder.At("run"), "--class", "triangle", "--output", _folder.At("c.png"));
        Assert.Equal(2, wrong.Code);
        Assert.Contains("circle, square", wrong.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.At("c.png")));
    }

    private ProgramResult Train(string data, string name) => BrumaProgram.Run(Arguments(data, _folder.At(name)));

    private static string[] Arguments(string data, string output, int steps = Steps) =>
    [
        "train", "diffusion", "--data", data, "--output", output, "--steps", $"{steps}", "--batch-size", "3", "--gradient-accumulation-steps", "2", "--checkpoint-every", "2",
        "--resolution", "16", "--seed", "1", "--dropout", "0.1", "--random-crop", "--sample-every", "0", "--report-samples", "0", "--threads", "1",
    ];

    /// <summary>Kills the process, as <c>kill -9</c> does, once the step stands in stats.jsonl.</summary>
    private static void KillAfter(int step, System.Diagnostics.Process process, string run)
    {
        using (process)
        {
            Wait(process, run, step);
            process.Kill();
            process.WaitForExit();
        }
    }

    private static void Wait(System.Diagnostics.Process process, string run, int step)
    {
        var deadline = DateTime.UtcNow.AddMinutes(2);
        while (!process.HasExited && DateTime.UtcNow < deadline && StepsIn(Path.Combine(run, "stats.jsonl")).LastOrDefault() < step)
            Thread.Sleep(5);
    }

    private static List<int> StepsIn(string stats)
    {
        if (!File.Exists(stats))
            return [];
        using var stream = new FileStream(stats, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd();
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("step").GetInt32())];
    }

    private static string Sum(string file) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
}
