using System.CommandLine;
using Bruma.Data.Sequences;
using Bruma.Recipes;
using Bruma.Transformers;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma train transformer</c>: the complete encoder-decoder from scratch.</summary>
internal static class TrainTransformerCommand
{
    private static readonly SequenceOptions Defaults = new("", new RunSettings(2000, BatchSize: 64));

    public static Command Create()
    {
        var task = new Option<string>("--task", "--data") { Description = $"{string.Join(", ", SequenceTask.Names)}, or a file with source, tab and target on each line.", DefaultValueFactory = _ => "dates" };
        var output = RunOptions.Output;
        var run = new RunOptions(Defaults.Run, "Pairs");
        var positions = RunOptions.Number("--positions", $"Position encoding: {string.Join(", ", PositionScheme.Kinds)}.", Defaults.Positions);
        var width = RunOptions.Number("--width", "Width of the model.", Defaults.Width);
        var heads = RunOptions.Number("--heads", "Attention heads.", Defaults.Heads);
        var layers = RunOptions.Number("--layers", "Layers of encoder and decoder each.", Defaults.Layers);
        var inner = RunOptions.Number("--inner", "Width of the feed-forward layers.", Defaults.Inner);
        var dropout = RunOptions.Number("--dropout", "Dropout in the network.", Defaults.Dropout);
        var normFirst = RunOptions.Number("--norm-first", "Norms before attention and feed-forward (true) or behind the residuals (false).", Defaults.NormFirst);
        var smoothing = RunOptions.Number("--label-smoothing", "Share of the target that is spread over all characters.", Defaults.LabelSmoothing);
        var beams = RunOptions.Number("--num-beams", "Beams of the report's beam search.", Defaults.NumBeams);
        var examples = RunOptions.Number("--report-examples", "Held-out texts to measure at the end.", Defaults.ReportExamples);
        var json = RunOptions.Json;
        var command = new Command("transformer", "Train an encoder-decoder from scratch to turn one text into another. Example: bruma train transformer --task numbers-es --output runs/numbers")
        {
            task, output, positions, width, heads, layers, inner, dropout, normFirst, smoothing, beams, examples, json,
        };
        run.AddTo(command);
        command.SetAction((parsed, cancellation) => TrainingSession.Start(() => SequenceTraining.Start(parsed.GetValue(output)!, TrainingSession.Checked(() => new SequenceOptions(
            parsed.GetValue(task)!, run.Read(parsed), parsed.GetValue(positions)!, parsed.GetValue(width), parsed.GetValue(heads), parsed.GetValue(layers), parsed.GetValue(inner), parsed.GetValue(dropout),
            parsed.GetValue(normFirst), parsed.GetValue(smoothing), parsed.GetValue(beams), parsed.GetValue(examples)).Checked())), parsed.GetValue(json), cancellation));
        return command;
    }
}
