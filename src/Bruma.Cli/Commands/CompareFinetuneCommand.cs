using System.CommandLine;
using System.Globalization;
using Bruma.Recipes.Finetuning;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare finetune</c>: strategies side by side, with baselines.</summary>
internal static class CompareFinetuneCommand
{
    public static Command Create()
    {
        var settings = new FinetuneSettings();
        var output = new Option<string>("--output", "-o") { Description = "Folder of the comparison; an interrupted one goes on.", Required = true };
        var strategies = new Option<string>("--strategies") { Description = $"Comma-separated: {string.Join(", ", Strategies.Names)}.", DefaultValueFactory = _ => "probe,head,lora,full" };
        var seeds = new Option<int>("--seeds") { Description = "Runs of each strategy, with seeds 0, 1, ...", DefaultValueFactory = _ => 3 };
        var schedules = new Option<string>("--schedules") { Description = "Learning-rate schedules to compare, comma-separated; all for every one.", DefaultValueFactory = _ => "" };
        var accumulation = new Option<string>("--accumulation") { Description = "Numbers of micro-batches per update to compare at the same effective batch, such as 1,2,4.", DefaultValueFactory = _ => "" };
        var side = new Option<string>("--side-strategy") { Description = "Strategy of the schedules' and accumulation's runs.", DefaultValueFactory = _ => "lora" };
        var command = new Command("finetune", "Compare ways of adapting one model to one task, with baselines. Example: bruma compare finetune --data debian-sections --strategies probe,lora,full --output runs/compare")
        {
            output, strategies, seeds, schedules, accumulation, side,
        };
        settings.AddTo(command);
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            var options = settings.Read(parsed, validationShare: 0);
            var plan = new ComparisonPlan(options, List(parsed.GetValue(strategies)!), [.. Enumerable.Range(0, Math.Max(1, parsed.GetValue(seeds))).Select(seed => (long)seed)], StaticModel(),
                parsed.GetValue(schedules) == "all" ? [.. Training.LearningRateSchedule.Names.Where(name => name is not ("noam" or "exponential"))] : List(parsed.GetValue(schedules)!),
                [.. List(parsed.GetValue(accumulation)!).Select(Parts)], parsed.GetValue(side)!);
            TrainingSession.Checked(plan.Checked);
            Native.KeepMemory();
            foreach (var line in FinetuneComparison.Run(parsed.GetValue(output)!, plan, cancellation))
                Console.WriteLine(line);
            return 0;
        }));
        return command;
    }

    private static string? StaticModel()
    {
        try
        {
            return TextModels.Find(null, TextModels.Static);
        }
        catch (BrumaException)
        {
            return null; // a baseline less
        }
    }

    private static int Parts(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parts) && parts >= 1 ? parts : throw new UsageException($"--accumulation {text}: must be numbers of 1 or more.");

    private static string[] List(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
