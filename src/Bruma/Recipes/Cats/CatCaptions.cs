using Bruma.Data.Emoji;

namespace Bruma.Recipes.Cats;

/// <summary>What may be said of a photo of a cat, in English and Spanish: by breed, by coat, by background, how near, or in general.</summary>
internal static class CatCaptions
{
    private static readonly Dictionary<string, string> Spanish = new(StringComparer.Ordinal) { ["abyssinian"] = "abisinio", ["bengal"] = "bengala" };

    /// <summary>A breed's name in Spanish; the same where none is known.</summary>
    public static string InSpanish(string breed) => Spanish.GetValueOrDefault(breed, breed);

    /// <summary>Of a square close around the head.</summary>
    public static IReadOnlyList<string> Close(string breed) => [$"a close-up photo of {EmojiGrammar.WithArticle(breed)} cat", $"primer plano de un gato {InSpanish(breed)}"];

    /// <summary>Of a square in which the head is small, so that most of the animal is seen.</summary>
    public static IReadOnlyList<string> Whole(string breed) => [$"a photo of a whole {breed} cat", $"foto de un gato {InSpanish(breed)} de cuerpo entero"];

    /// <summary>The plainest first; three of ten name no breed.</summary>
    /// <param name="breed">Lower case.</param>
    public static IReadOnlyList<string> Of(string breed, PhotoWords words)
    {
        var (coat, ground) = (words.Coat, words.Ground);
        var plain = $"a photo of {EmojiGrammar.WithArticle(breed)} cat";
        var spanish = InSpanish(breed);
        return
        [
            plain,
            $"a photo of {EmojiGrammar.WithArticle(coat.English)} {breed} cat",
            $"{plain} on {EmojiGrammar.WithArticle(ground.English)} background",
            words.Lightness is { } lightness ? $"a {lightness} photo of {EmojiGrammar.WithArticle(breed)} cat" : plain,
            $"foto de un gato {spanish}",
            $"foto de un gato {spanish} {coat.Masculine}",
            $"foto de un gato {spanish} sobre fondo {ground.Masculine}",
            "a photo of a cat",
            $"a photo of {EmojiGrammar.WithArticle(coat.English)} cat on {EmojiGrammar.WithArticle(ground.English)} background",
            "foto de un gato",
        ];
    }
}
