using System.Globalization;
using Bruma.Recipes.Adaptation;
using Bruma.Recipes.Cats;

namespace Bruma.Cli;

/// <summary><c>--recipe NAME</c> of <c>bruma train</c> and <c>bruma plan train</c>: flags that hold where the user gives no other.</summary>
internal static class RecipeFlags
{
    public const string Option = "--recipe";

    private static readonly string[] Pace = ["--lr-schedule", "cosine", "--lr-warmup-steps", "100", "--min-snr-gamma", "5", "--ema-decay", "0.999"];
    private static readonly string[] Common = ["--model", "emoji", "--batch-size", "32", .. Pace];
    private static readonly string[] Cats = [.. Common, "--data", "cats", "--steps", "1500"];
    private static readonly string[] Full = ["--learning-rate", CatComparisonOptions.FullLearningRate.ToString(CultureInfo.InvariantCulture)];
    private static readonly string[] Lora = ["--learning-rate", CatComparisonOptions.LoraLearningRate.ToString(CultureInfo.InvariantCulture), "--rank", "16", "--targets", "attention,convolutions"];

    private static readonly Dictionary<(string Command, string Recipe), string[]> Known = new()
    {
        [(AdaptationOptions.TextToImage, "cats")] = [.. Cats, .. Full],
        [(AdaptationOptions.TextToImage, "cats-replay")] = [.. Cats, .. Full, "--replay", "emoji", "--replay-share", "0.25"],
        [(AdaptationOptions.Lora, "cats")] = [.. Cats, .. Lora],
        [(AdaptationOptions.ControlNet, "cats")] = ["--model", "cats", "--data", "cats", "--batch-size", "16", "--steps", "500", "--learning-rate", "5e-4", .. Pace],
        [(AdaptationOptions.Lora, "openmoji")] = [.. Common, "--data", "openmoji", "--steps", "1000", .. Lora],
    };

    /// <summary>The names of a command's recipes.</summary>
    public static IEnumerable<string> Of(string command) => Known.Keys.Where(key => key.Command == command).Select(key => key.Recipe);

    /// <summary>Writes a recipe's flags out; arguments without one, or with that of the shipped text-to-image model, stay as they are.</summary>
    public static string[] Rewrite(string[] args)
    {
        var at = args is ["plan", ..] ? 1 : 0;
        if (args.Length < at + 2 || args[at] != "train" || !AdaptationOptions.Recipes.Contains(args[at + 1]) || Recipe(args) is not { } recipe)
            return args;
        if (!Known.TryGetValue((args[at + 1], recipe.Name), out var flags))
            return args[at + 1] == AdaptationOptions.TextToImage ? args
                : throw new UsageException($"{Option} {recipe.Name}: no such recipe of bruma train {args[at + 1]}{(Of(args[at + 1]).Any() ? $"; there are {string.Join(", ", Of(args[at + 1]))}" : "")}.");
        var own = args.Where((_, i) => i < recipe.Place || i >= recipe.Place + recipe.Length).ToList();
        return [.. own, .. flags.Index().Where(flag => flag.Index % 2 == 0 && !IsGiven(own, flag.Item)).SelectMany(flag => new[] { flag.Item, flags[flag.Index + 1] })];
    }

    /// <summary>Whether a flag is among arguments, with its value behind it or in it.</summary>
    public static bool IsGiven(IEnumerable<string> args, string flag) => args.Any(argument => argument == flag || argument.StartsWith(flag + "=", StringComparison.Ordinal) || flag == "--model" && argument == "-m");

    private static (string Name, int Place, int Length)? Recipe(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
            if (args[i] == Option && i + 1 < args.Length)
                return (args[i + 1], i, 2);
            else if (args[i].StartsWith(Option + "=", StringComparison.Ordinal))
                return (args[i][(Option.Length + 1)..], i, 1);
        return null;
    }
}
