using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bruma.Imaging;
using Bruma.Training;
using Bruma.Transformers.Embeddings;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma embed</c>: vectors of texts, who is near whom.</summary>
internal static class EmbedCommand
{
    private const int MostCompared = 2000;
    private const int MostShown = 50;

    private sealed record Arguments(IEnumerable<string> Texts, string? Output, string? Picture, int Neighbours, bool Json);

    public static Command Create()
    {
        var texts = new Argument<string[]>("text") { Description = "Texts; - reads lines from standard input.", Arity = ArgumentArity.ZeroOrMore };
        var input = new Option<string?>("--input", "-i") { Description = "File with a text per line; - for standard input." };
        var model = new Option<string?>("--model", "-m") { Description = "Model folder, or a name from BRUMA_SHARED, the models beside the program or the hub's cache (default: all-MiniLM-L6-v2)." };
        var output = new Option<string?>("--output", "-o") { Description = "Writes the vectors: .npy, .safetensors, or .jsonl with text and embedding." };
        var picture = new Option<string?>("--picture") { Description = "Writes the similarity matrix as a PNG." };
        var neighbours = new Option<int>("--neighbours") { Description = "Nearest texts to show of each.", DefaultValueFactory = _ => 3 };
        var precision = new Option<string>("--precision") { Description = "fp32 or bf16 (faster, cosines to about 0.002).", DefaultValueFactory = _ => "fp32" };
        var threads = new Option<int>("--threads") { Description = "Threads (default: all processors)." };
        var json = new Option<bool>("--json") { Description = "Prints a line of JSON per text: text, embedding, nearest." };
        var command = new Command("embed", "Turn texts into vectors and show which are alike. Example: bruma embed \"a cat\" \"a kitten\" \"a bank\"")
        {
            texts, input, model, output, picture, neighbours, precision, threads, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var file = parsed.GetValue(output);
            if (file is not null)
                VectorFiles.Check(file);
            if (parsed.GetValue(picture) is { } png)
                OutputFiles.Check(png);
            if (parsed.GetValue(neighbours) < 0)
                throw new UsageException($"--neighbours {parsed.GetValue(neighbours)}: must be 0 or more.");
            var lines = TextLines.Read(parsed.GetValue(texts) ?? [], parsed.GetValue(input));
            Native.UseThreads(parsed.GetValue(threads));
            Native.KeepMemory();
            using var embedder = TextEmbedders.Load(TextModels.Find(parsed.GetValue(model)), ComputePrecision.TypeOf(Native.Precision(parsed.GetValue(precision))));
            Run(embedder, new Arguments(lines, file, parsed.GetValue(picture), parsed.GetValue(neighbours), parsed.GetValue(json)), cancellation);
            return 0;
        }, cancellation));
        return command;
    }

    private static void Run(ITextEmbedder embedder, Arguments arguments, CancellationToken cancellation)
    {
        var (count, kept) = (0L, new List<(string Text, float[] Vector)>());
        var rows = Counted();
        if (arguments.Output is not null)
            VectorFiles.Write(arguments.Output, rows);
        else
            foreach (var _ in rows)
            {
                // the first ones are kept to be compared; more need a file
            }
        if (count == 0)
            throw new BrumaException("There is no text to embed; give texts, or lines in --input.");
        if (arguments.Json)
            WriteJson(kept, arguments.Neighbours);
        else
            WriteText(embedder, kept, count, arguments);
        if (arguments.Picture is not null)
            Picture(arguments.Picture, embedder, kept);

        IEnumerable<(string Text, float[] Vector)> Counted()
        {
            foreach (var (texts, vectors) in embedder.InWindows(arguments.Texts, cancellation))
                for (var i = 0; i < texts.Count; i++)
                {
                    if (count++ < MostCompared)
                        kept.Add((texts[i], vectors[i]));
                    yield return (texts[i], vectors[i]);
                }
        }
    }

    private static void WriteText(ITextEmbedder embedder, List<(string Text, float[] Vector)> rows, long count, Arguments arguments)
    {
        Console.WriteLine($"{count} texts, {embedder.Width} numbers each ({embedder.Name})");
        if (embedder.Truncated > 0)
            Console.WriteLine($"{embedder.Truncated} texts were longer than {(embedder as SentenceEmbedder)?.MaxLength} tokens and were cut there");
        var space = Space(rows);
        foreach (var name in space.Names.Take(arguments.Neighbours == 0 || rows.Count < 2 ? 0 : MostShown))
        {
            Console.WriteLine(name);
            foreach (var (text, cosine) in space.Nearest(name, arguments.Neighbours))
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {cosine,7:0.0000}  {text}"));
        }
        if (space.Names.Count > MostShown)
            Console.WriteLine($"and so on: {space.Names.Count - MostShown} more{(count > MostCompared ? $" of the first {MostCompared}" : "")}; --json shows them");
        foreach (var file in new[] { arguments.Output, arguments.Picture }.OfType<string>())
            Console.WriteLine(file);
    }

    private static void WriteJson(List<(string Text, float[] Vector)> rows, int neighbours)
    {
        var space = Space(rows);
        foreach (var (text, vector) in rows)
            Console.WriteLine(JsonSerializer.Serialize(new { text, embedding = vector, nearest = space.Nearest(text, neighbours).Select(near => new { text = near.Text, cosine = near.Cosine }) }));
    }

    private static void Picture(string path, ITextEmbedder embedder, List<(string Text, float[] Vector)> rows)
    {
        var space = Space(rows);
        Heatmap.Write(path, $"cosine similarity, {embedder.Name}", space.Similarity(), space.Names, space.Names, (-1, 1));
    }

    /// <summary>Texts that occur twice count once.</summary>
    private static WordVectors Space(List<(string Text, float[] Vector)> rows)
    {
        var distinct = rows.DistinctBy(row => row.Text).ToList();
        return new WordVectors([.. distinct.Select(row => row.Text)], [.. distinct.Select(row => row.Vector)]);
    }
}
