using System.Globalization;
using System.Numerics.Tensors;
using Bruma.Reports;
using Bruma.Transformers.Embeddings;

namespace Bruma.Recipes.LookInside;

/// <summary>Where an English model ends: the same meanings in English, in Spanish and across.</summary>
internal static class LanguageLimits
{
    private static readonly (string English, string Paraphrase, string Spanish, string Parafrasis)[] Meanings =
    [
        ("A cat is sleeping on the roof.", "The cat naps on top of the house.", "Un gato duerme sobre el tejado.", "El felino descansa encima de la casa."),
        ("The stock market fell sharply on Monday.", "Shares dropped a lot at the start of the week.", "La bolsa cayó con fuerza el lunes.", "Las acciones bajaron mucho al empezar la semana."),
        ("She cooks rice with vegetables.", "She is preparing a dish of rice and greens.", "Ella cocina arroz con verduras.", "Está preparando un plato de arroz y hortalizas."),
        ("The train arrives at eight in the morning.", "At 8 a.m. the train gets in.", "El tren llega a las ocho de la mañana.", "A las 8 entra el ferrocarril en la estación."),
        ("Children play football in the park.", "Kids are kicking a ball around in the garden.", "Los niños juegan al fútbol en el parque.", "Unos chicos dan patadas a un balón en el jardín."),
        ("The doctor examined the patient.", "A physician checked the sick man.", "La médica examinó al paciente.", "Un doctor revisó al enfermo."),
    ];

    /// <returns>Lines to tell.</returns>
    public static IEnumerable<string> Write(HtmlReport page, SentenceEmbedder contextual, StaticEmbeddings table)
    {
        var rows = new ITextEmbedder[] { contextual, table }.SelectMany(embedder => Rows(embedder)).ToList();
        page.Heading("Where an English model ends")
            .Paragraph($"{Meanings.Length} meanings, each said twice in English and twice in Spanish. Found: how often the other wording, or the translation, is the nearest among the {Meanings.Length} candidates. {contextual.Name} was trained on English: within Spanish it follows shared words rather than meaning, and it finds few translations.")
            .Table(["vectors", "from", "to", "found", "cosine of the right one", "mean cosine of the others"], rows.Select(row => (string[])[row.Model, row.From, row.To, $"{row.Found} of {Meanings.Length}", Number(row.Right), Number(row.Others)]));
        return rows.Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Model}, {row.From} to {row.To}: {row.Found} of {Meanings.Length} found, cosine {row.Right:0.00} against {row.Others:0.00}"));
    }

    private static IEnumerable<(string Model, string From, string To, int Found, double Right, double Others)> Rows(ITextEmbedder embedder)
    {
        float[][] Of(Func<(string English, string Paraphrase, string Spanish, string Parafrasis), string> which)
        {
            using var vectors = embedder.Embed([.. Meanings.Select(which)]);
            return [.. vectors.Rows().Select(WordVectors.Unit)];
        }
        var (english, paraphrase, spanish, parafrasis) = (Of(m => m.English), Of(m => m.Paraphrase), Of(m => m.Spanish), Of(m => m.Parafrasis));
        foreach (var (from, to, a, b) in new[] { ("English", "English, other words", english, paraphrase), ("Spanish", "Spanish, other words", spanish, parafrasis), ("Spanish", "English", spanish, english) })
        {
            var cosines = a.Select(x => b.Select(y => (double)TensorPrimitives.Dot<float>(x, y)).ToArray()).ToArray();
            var found = Enumerable.Range(0, a.Length).Count(i => cosines[i][i] >= cosines[i].Max());
            yield return (embedder.Name, from, to, found, Enumerable.Range(0, a.Length).Average(i => cosines[i][i]), Enumerable.Range(0, a.Length).Average(i => cosines[i].Where((_, j) => j != i).Average()));
        }
    }

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
