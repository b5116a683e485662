using System.Globalization;
using System.Text.Json;
using Bruma.Data.Sequences;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Reports;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>What a trained encoder-decoder does on texts that it never saw: how many are exactly right, which are not, where it looks.</summary>
internal sealed class SequenceReport(SequenceTransformer network, CharacterVocabulary vocabulary, SequenceOptions options)
{
    private const int ShownMistakes = 30;
    private const int ShownRight = 10;
    private const int Pictures = 3;

    /// <summary>Writes <c>report.html</c>, <c>result.json</c> and the pictures.</summary>
    /// <returns>What to tell.</returns>
    public IReadOnlyList<string> Write(string folder, SequenceTask task)
    {
        var examples = task.HeldOut(options.ReportExamples);
        var greedy = SequenceScoring.Write(network, vocabulary, examples, task.LongestTarget + 1);
        var beams = SequenceScoring.Write(network, vocabulary, examples, task.LongestTarget + 1, options.NumBeams);
        var (exactGreedy, exactBeams) = (SequenceScoring.Exact(examples, greedy), SequenceScoring.Exact(examples, beams));
        string[] lines =
        [
            string.Create(CultureInfo.InvariantCulture, $"exactly right on {examples.Count} held-out texts: {100 * exactGreedy:0.0} % greedy, {100 * exactBeams:0.0} % with {options.NumBeams} beams (one standard error: {100 * Math.Sqrt(exactGreedy * (1 - exactGreedy) / examples.Count):0.0})"),
            $"report: {Path.Combine(folder, "report.html")}",
        ];
        AtomicFile.WriteText(Path.Combine(folder, "result.json"), JsonSerializer.Serialize(new { task = task.Name, examples = examples.Count, exact_greedy = exactGreedy, exact_beams = exactBeams, beams = options.NumBeams }) + "\n");

        var page = new HtmlReport($"{task.Name}: {options.Positions} positions, {options.Run.Steps} steps").Paragraph($"{task.Description}.").Paragraph(lines[0]);
        Examples(page, examples, greedy, beams);
        page.Heading("Where it looks").Paragraph("Rows: what the decoder writes; columns: the source. Mean over the heads, one picture for each layer.");
        foreach (var (example, i) in examples.Take(Pictures).Select((example, i) => (example, i)))
            for (var layer = 0; layer < options.Layers; layer++)
            {
                var name = $"attention-{i + 1}-layer-{layer + 1}.png";
                Attention(Path.Combine(folder, name), example, layer);
                page.Picture(name, $"Layer {layer + 1}: {example.Source} -> {example.Target}", smooth: true);
            }
        page.Heading("Loss").Picture("loss.png", "Loss and learning rate over steps.", smooth: true).Heading("Settings").Preformatted(options.ToJson());
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), page.ToString());
        return lines;
    }

    private static void Examples(HtmlReport page, IReadOnlyList<SequenceExample> examples, IReadOnlyList<string> greedy, IReadOnlyList<string> beams)
    {
        var rows = examples.Select((example, i) => (example, Greedy: greedy[i], Beams: beams[i])).ToList();
        var wrong = rows.Where(row => row.Greedy != row.example.Target || row.Beams != row.example.Target).Take(ShownMistakes).ToList();
        page.Heading(wrong.Count == 0 ? "No mistakes" : "Mistakes");
        if (wrong.Count > 0)
            page.Table(["source", "right", "greedy", "beams"], wrong.Select(row => (IReadOnlyList<string>)[row.example.Source, row.example.Target, row.Greedy, row.Beams]));
        page.Heading("Right").Table(["source", "written"], rows.Where(row => row.Greedy == row.example.Target).Take(ShownRight).Select(row => (IReadOnlyList<string>)[row.example.Source, row.Greedy]));
    }

    private void Attention(string path, SequenceExample example, int layer)
    {
        using var scope = NewDisposeScope();
        using var batch = SequenceBatch.Of([example], vocabulary);
        var context = network.Encode(batch.Source, batch.SourceMask).LastHiddenState;
        var weights = network.Decode(batch.Input, new DecoderPass(context, batch.SourceMask, KeepWeights: true)).CrossAttentions[layer].mean([1L])[0].to(float64); // [T, S]
        var (rows, columns) = ((int)weights.shape[0], (int)weights.shape[1]);
        var (values, flat) = (new double[rows, columns], weights.contiguous().data<double>().ToArray());
        Buffer.BlockCopy(flat, 0, values, 0, flat.Length * sizeof(double));
        var source = example.Source.EnumerateRunes().Select(rune => rune.ToString()).ToArray();
        string[] target = [.. example.Target.EnumerateRunes().Select(rune => rune.ToString()), "end"];
        Heatmap.Write(path, $"layer {layer + 1}", values, target, source, (0, 1));
    }
}
