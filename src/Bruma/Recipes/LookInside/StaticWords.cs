using System.Globalization;
using Bruma.Reports;
using Bruma.Transformers.Embeddings;

namespace Bruma.Recipes.LookInside;

/// <summary>Static vectors of words: neighbours, analogies, and a map, in English and Spanish.</summary>
internal static class StaticWords
{
    private const int Nearest = 5;

    private static readonly (string Group, string[] Words)[] Groups =
    [
        ("animals", ["cat", "dog", "kitten", "puppy", "horse", "mouse"]),
        ("people", ["king", "queen", "man", "woman", "doctor", "nurse"]),
        ("places", ["paris", "madrid", "berlin", "france", "spain", "germany"]),
        ("things", ["computer", "keyboard", "guitar", "piano", "house", "car"]),
        ("verbs", ["walk", "walked", "swim", "swam", "run", "ran"]),
        ("español", ["gato", "perro", "rey", "reina", "hombre", "mujer", "casa", "guitarra", "libro", "agua", "rojo", "azul"]),
    ];

    private static readonly (string A, string B, string C)[] Analogies =
    [
        ("man", "king", "woman"), ("walk", "walked", "swim"), ("cat", "kitten", "dog"), ("france", "paris", "spain"), ("hombre", "rey", "mujer"), ("good", "best", "bad"),
    ];

    private static readonly string[] Extra = ["good", "better", "best", "bad", "worse", "worst", "happy", "sad", "river", "mountain", "book", "water", "red", "blue"];

    private static readonly string[] Probes = ["file", "directory", "process", "memory", "socket", "terminal", "signal", "user", "archivo", "fichero", "directorio", "proceso", "memoria", "usuario", "orden", "señal"];

    public static void Write(string folder, HtmlReport page, StaticEmbeddings table, WordVectors? trained)
    {
        var names = Groups.SelectMany(group => group.Words).Concat(Extra).Distinct().ToList();
        using var vectors = table.Embed(names);
        var words = new WordVectors(names, vectors.Rows());
        page.Heading($"Static vectors: {table.Name}").Paragraph($"Neighbours and analogies among {names.Count} words. The table is an English model's: Spanish words are split into pieces, yet some land near their meaning.");
        page.Table(["word", "nearest"], new[] { "king", "cat", "paris", "walk", "gato", "reina", "guitarra", "rojo" }.Select(word => (string[])[word, Listed(words.Nearest(word, Nearest))]));
        page.Table(["analogy", "answers"], Analogies.Select(row => (string[])[$"{row.A} is to {row.B} as {row.C} is to", Listed(words.Analogy(row.A, row.B, row.C, 3))]));
        var shown = Groups.SelectMany(group => group.Words.Select(word => (word, group.Group))).ToList();
        var (points, _, _) = PrincipalComponents.Of([.. shown.Select(pair => words.Of(pair.word).ToArray())]);
        EmbeddingPlots.Points(Path.Combine(folder, "static-words.png"), table.Name, points, [.. shown.Select(pair => pair.word)], [.. shown.Select(pair => pair.Group)]);
        page.Picture("static-words.png", "Two principal components", smooth: true);
        EmbeddingPlots.Points(Path.Combine(folder, "static-words-neighbours.png"), table.Name, NeighbourMap.Of([.. shown.Select(pair => words.Of(pair.word).ToArray())]), [.. shown.Select(pair => pair.word)], [.. shown.Select(pair => pair.Group)]);
        page.Picture("static-words-neighbours.png", "t-SNE of the same vectors", smooth: true);
        if (trained is null)
            return;

        page.Heading("Word vectors trained here: skip-gram with negative sampling").Paragraph($"{trained.Names.Count} words of the text; they know its world and no other.");
        var known = Probes.Where(trained.Has).Concat(trained.Names.Where(name => name.Length > 4).Take(20)).Distinct().Take(16).ToList();
        page.Table(["word", "nearest"], known.Select(word => (string[])[word, Listed(trained.Nearest(word, Nearest))]));
        List<string> map = [.. trained.Names.Where(name => name.Length > 3).Take(60)];
        var (places, _, _) = PrincipalComponents.Of([.. map.Select(word => trained.Of(word).ToArray())]);
        EmbeddingPlots.Points(Path.Combine(folder, "trained-words.png"), "skip-gram, the most frequent words", places, map, [.. map.Select(_ => "words")]);
        page.Picture("trained-words.png", "Two principal components", smooth: true);
        EmbeddingPlots.Points(Path.Combine(folder, "trained-words-neighbours.png"), "skip-gram, the most frequent words", NeighbourMap.Of([.. map.Select(word => trained.Of(word).ToArray())]), map, [.. map.Select(_ => "words")]);
        page.Picture("trained-words-neighbours.png", "t-SNE of the same vectors", smooth: true);
    }

    private static string Listed(IEnumerable<Neighbour> found) => string.Join(", ", found.Select(neighbour => string.Create(CultureInfo.InvariantCulture, $"{neighbour.Text} {neighbour.Cosine:0.00}")));
}
