using System.Text.Json;
using Bruma.Transformers.Embeddings;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Vectors of texts and of words in context, and attention maps, with real weights.</summary>
internal static class EmbeddingKinds
{
    public static void Sentences(GoldenCase golden, CaseReport report)
    {
        using var embedder = SentenceEmbedder.Load(Model(golden));
        var texts = Strings(golden.Spec.GetProperty("texts"));
        report.CompareExact("max_length", embedder.MaxLength, golden.Spec.GetProperty("max_length").GetInt32());
        report.CompareExact("lengths", embedder.Encode(texts).Select(text => text.Ids.Count), golden.Spec.GetProperty("lengths").EnumerateArray().Select(length => length.GetInt32()));
        report.Compare("mean_pooled", embedder.Pool(texts));
        var vectors = embedder.Embed(texts);
        report.Compare("embeddings", vectors);
        report.Compare("similarity", matmul(vectors, vectors.t()));
    }

    public static void Contexts(GoldenCase golden, CaseReport report)
    {
        using var embedder = SentenceEmbedder.Load(Model(golden));
        var contexts = new WordContexts(embedder);
        foreach (var rows in golden.Spec.GetProperty("rows").EnumerateArray().GroupBy(row => row.GetProperty("word").GetString()!))
        {
            var sentences = rows.Select(row => row.GetProperty("sentence").GetString()!).ToList();
            report.CompareExact($"{rows.Key} places", sentences.Select(sentence => contexts.Find(rows.Key, sentence)),
                rows.Select(row => new WordPlace(row.GetProperty("first_token").GetInt32(), row.GetProperty("tokens").GetInt32())));
            var states = contexts.Of(rows.Key, sentences);
            report.Compare(rows.Key, states);
            report.Compare($"{rows.Key}.cosine", WordContexts.Cosines(states));
        }
    }

    public static void Attention(GoldenCase golden, CaseReport report)
    {
        using var embedder = SentenceEmbedder.Load(Model(golden));
        using var maps = AttentionMaps.Of(embedder, golden.Spec.GetProperty("text").GetString()!);
        report.CompareExact("tokens", maps.Tokens.AsEnumerable(), (IEnumerable<string>)Strings(golden.Spec.GetProperty("tokens")));
        report.Compare("attention", maps.Weights[golden.Spec.GetProperty("layer").GetInt32()]);
    }

    public static void Static(GoldenCase golden, CaseReport report)
    {
        using var embedder = StaticEmbeddings.Load(Model(golden));
        var texts = Strings(golden.Spec.GetProperty("texts"));
        report.CompareExact("ids", texts.SelectMany(embedder.Encode), golden.Spec.GetProperty("ids").EnumerateArray().SelectMany(ids => ids.EnumerateArray().Select(id => id.GetInt32())));
        var vectors = embedder.Embed(texts);
        report.Compare("vectors", vectors);
        var units = nn.functional.normalize(vectors, p: 2, dim: 1);
        report.Compare("similarity", matmul(units, units.t()));

        var vocabulary = Strings(golden.Spec.GetProperty("vocabulary"));
        var words = new WordVectors(vocabulary, embedder.Embed(vocabulary).Rows());
        foreach (var row in golden.Spec.GetProperty("nearest").EnumerateArray())
            CompareNeighbours(report, row, "nearest", count => words.Nearest(Text(row, "word"), count));
        foreach (var row in golden.Spec.GetProperty("analogies").EnumerateArray())
            CompareNeighbours(report, row, "answers", count => words.Analogy(Text(row, "a"), Text(row, "b"), Text(row, "c"), count));
    }

    private static void CompareNeighbours(CaseReport report, JsonElement row, string names, Func<int, IReadOnlyList<Neighbour>> find)
    {
        var expected = Strings(row.GetProperty(names));
        var found = find(expected.Count);
        report.CompareExact(row.ToString(), found.Select(neighbour => neighbour.Text), expected);
        report.Compare($"{row} cosine", [.. found.Select(neighbour => neighbour.Cosine)], [.. row.GetProperty("cosine").EnumerateArray().Select(value => value.GetDouble())]);
    }

    private static string Model(GoldenCase golden) => golden.PathOf(golden.Spec.GetProperty("model").GetString()!);

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;

    private static List<string> Strings(JsonElement list) => [.. list.EnumerateArray().Select(item => item.GetString()!)];
}
