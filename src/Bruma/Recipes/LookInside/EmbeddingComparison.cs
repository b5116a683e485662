using System.Globalization;
using System.Text.Json;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Reports;
using Bruma.Transformers.Embeddings;

namespace Bruma.Recipes.LookInside;

/// <summary>What to compare.</summary>
/// <param name="Model">Folder of the contextual model.</param>
/// <param name="Static">Folder of static vectors.</param>
/// <param name="Uses">Words in sentences, by sense.</param>
/// <param name="Text">File, folder or name of manual pages on which word vectors are trained; null for none.</param>
public sealed record EmbeddingPlan(string Model, string Static, IReadOnlyList<WordUse> Uses, string? Text, SkipGramOptions SkipGram);

/// <summary>How well one kind of vector tells the senses of words apart, mean over the words.</summary>
public sealed record SenseRow(string Vectors, Separation Mean);

/// <summary>Static vectors against contextual ones: senses of words, neighbours, analogies, and where an English model ends.</summary>
public static class EmbeddingComparison
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <returns>Lines to tell, as they come; the last one names the report.</returns>
    public static IEnumerable<string> Run(string folder, EmbeddingPlan plan, CancellationToken cancellation = default)
    {
        var text = plan.Text is null ? null : TextCorpus.Read(plan.Text);
        Directory.CreateDirectory(folder);
        using var contextual = SentenceEmbedder.Load(plan.Model);
        using var fixedVectors = StaticEmbeddings.Load(plan.Static);
        WordVectors? trained = null;
        if (text is not null)
        {
            var skipGram = new SkipGram(text.Split('\n'), plan.SkipGram);
            yield return $"word vectors from {Path.GetFileName(plan.Text)}: {skipGram.Length} words of {skipGram.Vocabulary.Count} kinds";
            var epoch = 0;
            foreach (var loss in skipGram.Train(cancellation))
                yield return string.Create(CultureInfo.InvariantCulture, $"  epoch {++epoch} of {plan.SkipGram.Epochs}: loss {loss:0.000}");
            skipGram.Save(Path.Combine(folder, "vectors.txt"));
            trained = skipGram.Vectors();
        }

        var page = new HtmlReport($"Static and contextual vectors: {fixedVectors.Name} and {contextual.Name}");
        var senses = Senses(folder, page, plan, (contextual, fixedVectors, trained));
        foreach (var row in senses)
            yield return string.Create(CultureInfo.InvariantCulture, $"{row.Vectors}: silhouette {row.Mean.Silhouette:0.000}, within {row.Mean.Within:0.000}, between {row.Mean.Between:0.000}, nearest is of the sense {row.Mean.NearestIsOfGroup:P0}");
        StaticWords.Write(folder, page, fixedVectors, trained);
        foreach (var line in LanguageLimits.Write(page, contextual, fixedVectors))
            yield return line;
        AtomicFile.WriteText(Path.Combine(folder, "senses.json"), JsonSerializer.Serialize(senses, Readable) + "\n");
        var path = Path.Combine(folder, "embeddings.html");
        AtomicFile.WriteText(path, page.ToString());
        yield return $"report: {path}";
    }

    private static List<SenseRow> Senses(string folder, HtmlReport page, EmbeddingPlan plan, (SentenceEmbedder Contextual, StaticEmbeddings Static, WordVectors? Trained) models)
    {
        var words = plan.Uses.GroupBy(use => use.Word).ToList();
        var levels = new Dictionary<string, List<Separation>>();
        void Add(string name, IReadOnlyList<float[]> vectors, IEnumerable<WordUse> uses)
        {
            if (!levels.TryGetValue(name, out var rows))
                levels[name] = rows = [];
            rows.Add(Separation.Of(vectors, [.. uses.Select(use => use.Sense)]));
        }

        var contexts = new WordContexts(models.Contextual);
        var plots = new List<(string Word, IReadOnlyList<WordUse> Uses, IReadOnlyList<float[]> Vectors)>();
        foreach (var word in words)
        {
            List<string> sentences = [.. word.Select(use => use.Sentence)];
            using var states = contexts.Of(word.Key, sentences);
            using (var one = models.Static.Embed([word.Key]))
                Add($"{models.Static.Name}: the word", [.. sentences.Select(_ => one.Rows()[0])], word);
            using (var means = models.Static.Embed(sentences))
                Add($"{models.Static.Name}: mean of the sentence", means.Rows(), word);
            if (models.Trained is { } trained && KnowsMost(trained, sentences))
                Add("skip-gram: mean of the sentence", [.. sentences.Select(sentence => Mean(trained, sentence))], word);
            for (var level = 0; level < states.shape[1]; level++)
            {
                using var layer = states.select(1, level).contiguous();
                var rows = layer.Rows();
                Add(level == 0 ? $"{models.Contextual.Name}: embeddings" : $"{models.Contextual.Name}: layer {level}", rows, word);
                if (level == states.shape[1] - 1)
                    plots.Add((word.Key, [.. word], rows));
            }
        }
        var table = levels.Select(pair => new SenseRow(pair.Key, Average(pair.Value))).ToList();
        page.Heading("Senses of words")
            .Paragraph($"{plan.Uses.Count} sentences with {words.Count} words of several senses ({string.Join(", ", words.Select(word => word.Key))}). A static vector is the same in every sentence, so it cannot tell senses apart; the mean over its sentence can a little. Silhouette: 1 when the senses lie apart, 0 when they mix. Mean over the words.")
            .Table(["vectors", "silhouette", "cosine within a sense", "cosine between senses", "nearest is of the same sense"], table.Select(row => (string[])[row.Vectors, Number(row.Mean.Silhouette), Number(row.Mean.Within), Number(row.Mean.Between), row.Mean.NearestIsOfGroup.ToString("P0", CultureInfo.InvariantCulture)]));
        EmbeddingPlots.Silhouettes(Path.Combine(folder, "silhouettes.png"), table);
        page.Picture("silhouettes.png", "Silhouette by kind of vector", smooth: true);
        var all = plots.SelectMany(plot => plot.Uses.Zip(plot.Vectors)).ToList();
        EmbeddingPlots.Points(Path.Combine(folder, "senses-neighbours.png"), "all words in all sentences, last layer: who is near whom", NeighbourMap.Of([.. all.Select(pair => pair.Second)]), [.. all.Select(_ => "")], [.. all.Select(pair => $"{pair.First.Word}: {pair.First.Sense}")]);
        page.Picture("senses-neighbours.png", "t-SNE: neighbours are near one another; distances between far groups mean nothing", smooth: true);
        foreach (var (word, uses, vectors) in plots)
        {
            var (points, first, second) = PrincipalComponents.Of(vectors);
            EmbeddingPlots.Points(Path.Combine(folder, $"senses-{word}.png"), $"{word}, last layer", points, [.. uses.Select(use => Short(use.Sentence))], [.. uses.Select(use => use.Sense)]);
            page.Picture($"senses-{word}.png", string.Create(CultureInfo.InvariantCulture, $"{word} in its sentences: two principal components ({first:P0} and {second:P0} of the variance)"), smooth: true);
        }
        return table;
    }

    /// <summary>Vectors trained on another language say nothing about these sentences.</summary>
    private static bool KnowsMost(WordVectors words, List<string> sentences) => sentences.SelectMany(SkipGram.Words).Average(word => words.Has(word) ? 1 : 0) > 0.5;

    private static float[] Mean(WordVectors words, string sentence)
    {
        var known = SkipGram.Words(sentence).Where(words.Has).Select(word => words.Of(word)).ToList();
        return known.Count == 0 ? new float[words.Of(words.Names[0]).Count] : [.. Enumerable.Range(0, known[0].Count).Select(i => known.Average(vector => vector[i]))];
    }

    private static Separation Average(List<Separation> rows) => new(rows.Average(row => row.Within), rows.Average(row => row.Between), rows.Average(row => row.Silhouette), rows.Average(row => row.NearestIsOfGroup));

    private static string Short(string sentence) => sentence.Length <= 38 ? sentence : $"{sentence[..37]}…";

    private static string Number(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
