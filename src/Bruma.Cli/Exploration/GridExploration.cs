using System.Diagnostics;
using System.Globalization;
using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using Bruma.StableDiffusion;

namespace Bruma.Cli.Exploration;

/// <summary>Two parameters against one another, one picture for each pair, with its time.</summary>
internal static class GridExploration
{
    private delegate ImageRequest Change(ImageRequest request, StableDiffusionPipeline pipeline, string value);

    private static readonly Dictionary<string, Change> Parameters = new(StringComparer.OrdinalIgnoreCase)
    {
        ["steps"] = (request, _, value) => request with { Steps = (int)Number("steps", value) },
        ["guidance"] = (request, _, value) => request with { GuidanceScale = Number("guidance", value) },
        ["rescale"] = (request, _, value) => request with { GuidanceRescale = Number("rescale", value) },
        ["seed"] = (request, _, value) => request with { Seed = (long)Number("seed", value) },
        ["scheduler"] = (request, pipeline, value) => request with { Scheduler = SchedulerNames.Find(value, pipeline.Scheduler) },
        ["eta"] = (request, _, value) => request with { Eta = Number("eta", value) },
        ["clip-skip"] = (request, _, value) => request with { ClipSkip = (int)Number("clip-skip", value) - 1 },
        ["negative"] = (request, _, value) => request with { NegativePrompt = value },
        ["strength"] = (request, _, value) => request with { Start = request.Start is { } start ? start with { Strength = Number("strength", value) } : throw new UsageException("strength needs a picture to start from: give --image too.") },
        ["variation"] = (request, _, value) => request with { Variation = new Variation(request.Variation?.Seed ?? request.Seed + 1, Number("variation", value)) },
        ["prompt"] = (request, _, _) => request, // the value itself is drawn
    };

    public static IEnumerable<string> Names => Parameters.Keys;

    /// <param name="rows">NAME=VALUE,VALUE,...</param>
    /// <param name="columns">The same.</param>
    public static void Run(ExplorationContext context, string rows, string columns)
    {
        var (down, across) = (Axis(rows, "--rows"), Axis(columns, "--columns"));
        var cells = new List<LabelledPicture>();
        foreach (var row in down.Values)
            foreach (var column in across.Values)
            {
                var request = Parameters[across.Name](Parameters[down.Name](context.Request, context.Pipeline, row), context.Pipeline, column);
                var prompt = down.Name == "prompt" ? row : across.Name == "prompt" ? column : null;
                var watch = Stopwatch.StartNew();
                var picture = context.Draw(request, prompt);
                cells.Add(new LabelledPicture(picture, FormattableString.Invariant($"{watch.Elapsed.TotalSeconds:0.00} s")));
            }
        context.WriteSheet($"\"{context.Prompt}\": {down.Name} down, {across.Name} across ({context.Settings(context.Request)})", cells, across.Values.Count, [.. down.Values.Select(value => Short(down.Name, value))], [.. across.Values.Select(value => Short(across.Name, value))]);
    }

    private static string Short(string name, string value) => name == "prompt" ? value : $"{name} {value}";

    private static (string Name, IReadOnlyList<string> Values) Axis(string text, string flag)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        var name = at < 0 ? text : text[..at].Trim().ToLowerInvariant();
        if (at < 0 || !Parameters.ContainsKey(name))
            throw new UsageException($"{flag} {text}: must be NAME=VALUE,VALUE,... with a name of {string.Join(", ", Names)}.");
        var values = text[(at + 1)..].Split(text.Contains(';', StringComparison.Ordinal) ? ';' : ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return values.Length > 0 ? (name, values) : throw new UsageException($"{flag} {text}: has no values.");
    }

    private static double Number(string name, string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw new UsageException($"{name}={value}: must be a number.");
}
