using System.Globalization;
using Bruma.Hub;

namespace Bruma.Recipes.Finetuning;

/// <summary>What a fine-tuned model is, in its folder's <c>README.md</c>.</summary>
internal static class ModelCard
{
    public static void Write(string folder, FinetuneOptions options, (long Trained, string Command) run, Evaluation? evaluation)
    {
        string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
        AtomicFile.WriteText(Path.Combine(folder, "README.md"), $"""
            # {Path.GetFileName(options.Model)} adapted to {Path.GetFileName(options.Data)}

            Task: {options.Task}. Made by Bruma from {Path.GetFileName(options.Model)}; its licence and limits hold here too.

            | | |
            |---|---|
            | strategy | {options.Strategy}, {string.Create(CultureInfo.InvariantCulture, $"{run.Trained:N0}")} parameters trained |
            | training | {options.Epochs} epochs, batch {options.BatchSize * options.GradientAccumulationSteps}, rate {Number(options.LearningRate)} ({options.LrSchedule}), seed {options.Seed}, {options.Precision} |
            {string.Concat((evaluation?.Measures ?? []).Select(pair => $"| {pair.Key.Replace('_', ' ')} on test examples | {Number(pair.Value)} |\n"))}
            {(options.Task == FinetuneTasks.TextClassification ? "The vector of a text is pooled as `classifier_pooling` in config.json says; without that key it is BERT's pooler, and transformers loads the folder as BertForSequenceClassification.\n" : "")}
            Use it: `{run.Command} {Path.GetFileName(Path.GetDirectoryName(folder) ?? "")}/{Path.GetFileName(folder)} ...`

            """);
    }
}
