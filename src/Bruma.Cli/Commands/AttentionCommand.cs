using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bruma.Recipes.LookInside;
using Bruma.Transformers.Embeddings;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma attention</c>: attention maps of a sentence as pictures and a page.</summary>
internal static class AttentionCommand
{
    private const int MostShown = 12;

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "Model folder, or a name such as all-MiniLM-L6-v2." };
        var sentence = new Argument<string>("sentence") { Description = "The sentence to look at." };
        var pair = new Option<string?>("--pair") { Description = "A second sentence." };
        var output = new Option<string>("--output", "-o") { Description = "Folder for the page and the pictures.", DefaultValueFactory = _ => "attention" };
        var json = new Option<bool>("--json") { Description = "Prints tokens and roles of the heads as one JSON object." };
        var command = new Command("attention", "Show who looks at whom, per layer and head. Example: bruma attention all-MiniLM-L6-v2 \"A cat sits on the mat.\"") { model, sentence, pair, output, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            using var embedder = SentenceEmbedder.Load(TextModels.Find(parsed.GetValue(model)));
            var text = parsed.GetValue(sentence)!;
            using var maps = AttentionMaps.Of(embedder, text, parsed.GetValue(pair));
            var roles = Roles(embedder, maps);
            var page = AttentionReport.Write(parsed.GetValue(output)!, embedder.Name, parsed.GetValue(pair) is { } second ? $"{text} / {second}" : text, maps, roles);
            if (parsed.GetValue(json))
                Console.WriteLine(JsonSerializer.Serialize(new { tokens = maps.Tokens, page, heads = roles.Select(Json) }));
            else
                WriteText(maps, roles, page);
            return 0;
        }, cancellation));
        return command;
    }

    private static IReadOnlyList<HeadRole> Roles(SentenceEmbedder embedder, AttentionMaps maps)
    {
        var probes = AttentionRoles.Probes.Select(probe => AttentionMaps.Of(embedder, probe)).ToList();
        try
        {
            return AttentionRoles.Of([maps, .. probes]);
        }
        finally
        {
            probes.ForEach(probe => probe.Dispose());
        }
    }

    private static object Json(HeadRole role) => new
    {
        layer = role.Layer,
        head = role.Head,
        role = role.Name,
        previous = role.Previous,
        next = role.Next,
        self = role.Self,
        delimiter = role.Delimiter,
        same_word = double.IsNaN(role.SameWord) ? (double?)null : role.SameWord,
        entropy = role.Entropy,
    };

    private static void WriteText(AttentionMaps maps, IReadOnlyList<HeadRole> roles, string page)
    {
        Console.WriteLine($"{maps.Tokens.Count} tokens: {string.Join(' ', maps.Tokens)}");
        Console.WriteLine($"{maps.Layers} layers of {maps.Heads} heads: {string.Join(", ", roles.CountBy(role => role.Name).OrderByDescending(pair => pair.Value).Select(pair => $"{pair.Value} {pair.Key}"))}");
        foreach (var role in roles.Where(role => role.Name != "broad").OrderByDescending(role => role.Shares.Max(pair => double.IsNaN(pair.Share) ? 0 : pair.Share)).Take(MostShown))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  layer {role.Layer} head {role.Head,2}: {role.Name} {role.Shares.First(pair => pair.Name == role.Name).Share:P0}"));
        Console.WriteLine(page);
    }
}
