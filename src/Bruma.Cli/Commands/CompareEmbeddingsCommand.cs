using System.CommandLine;
using Bruma.Recipes.LookInside;
using Bruma.Transformers.Embeddings;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma compare embeddings</c>: static vectors against contextual ones.</summary>
internal static class CompareEmbeddingsCommand
{
    private static readonly SkipGramOptions Defaults = new();

    public static Command Create()
    {
        var model = new Option<string?>("--model", "-m") { Description = "Contextual model (default: all-MiniLM-L6-v2)." };
        var table = new Option<string?>("--static") { Description = $"Static vectors (default: {TextModels.Static})." };
        var text = new Option<string?>("--text") { Description = $"Text on which word vectors are trained by skip-gram: a file, a folder of .txt files, or {string.Join(" or ", Data.ManPages.Names)} (default: none)." };
        var contexts = new Option<string?>("--contexts") { Description = "Lines of JSON with word, sense and sentence (default: five English words)." };
        var width = new Option<int>("--width") { Description = "Numbers of a trained word vector.", DefaultValueFactory = _ => Defaults.Width };
        var window = new Option<int>("--window") { Description = "Words to either side at most.", DefaultValueFactory = _ => Defaults.Window };
        var epochs = new Option<int>("--epochs") { Description = "Passes over the text.", DefaultValueFactory = _ => Defaults.Epochs };
        var minCount = new Option<int>("--min-count") { Description = "Rarer words are left out.", DefaultValueFactory = _ => Defaults.MinCount };
        var seed = new Option<long>("--seed") { Description = "Seed of the trained vectors." };
        var output = new Option<string>("--output", "-o") { Description = "Folder for the page and the pictures.", Required = true };
        var command = new Command("embeddings", "Compare static word vectors with contextual ones: senses, neighbours, analogies. Example: bruma compare embeddings --text manpages-es --output runs/embeddings")
        {
            model, table, text, contexts, width, window, epochs, minCount, seed, output,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            var options = new SkipGramOptions(parsed.GetValue(width), parsed.GetValue(window), Defaults.Negatives, parsed.GetValue(epochs), parsed.GetValue(minCount), Seed: parsed.GetValue(seed));
            if (options.Width < 2 || options.Window < 1 || options.Epochs < 1 || options.MinCount < 1)
                throw new UsageException("--width must be at least 2; --window, --epochs and --min-count at least 1.");
            var uses = parsed.GetValue(contexts) is { } given ? Polysemy.Read(given) : Polysemy.Examples;
            var plan = new EmbeddingPlan(TextModels.Find(parsed.GetValue(model)), TextModels.Find(parsed.GetValue(table), TextModels.Static), uses, parsed.GetValue(text), options);
            foreach (var line in EmbeddingComparison.Run(parsed.GetValue(output)!, plan, cancellation))
                Console.WriteLine(line);
            return 0;
        }));
        return command;
    }
}
