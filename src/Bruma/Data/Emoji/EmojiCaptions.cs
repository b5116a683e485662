using Bruma.Nn;

namespace Bruma.Data.Emoji;

/// <summary>Says what a scene shows, in English or Spanish, anew each time: a grammar instead of fixed captions.</summary>
public sealed class EmojiCaptions(EmojiDataset data, EmojiSplits splits)
{
    private const double StyleShare = 0.7;
    private const double OwnColourShare = 0.3;

    private readonly EmojiParaphrases _paraphrases = EmojiParaphrases.Load();

    /// <summary>A caption of the scene, lower case.</summary>
    /// <param name="language">Whether in Spanish, where that is allowed; null leaves it to chance.</param>
    public string Of(EmojiScene scene, HashedDraws draws, bool? language = null)
    {
        var picture = scene.Kind == SceneKind.Toned ? data.Index.Toned[scene.Picture] : data.Pictures[scene.Picture];
        var concept = data.Concepts[picture.Concept];
        var other = scene.Other >= 0 ? data.Concepts[data.Pictures[scene.Other].Concept] : null;
        var spanish = (draws.Chance(SpanishShare(scene.Kind)) ? language ?? true : language ?? false) && !splits.HidesSpanish(concept.Codepoints) && !(other is not null && splits.HidesSpanish(other.Codepoints));
        var core = scene.Kind == SceneKind.Plain ? Plain(concept, scene, spanish, draws) : spanish ? Spanish(concept, other, scene) : English(concept, other, scene, draws);
        var style = data.Index.Styles[picture.Style];
        var tail = !draws.Chance(StyleShare) ? "" : spanish ? $", estilo {style}" : $", {style} style";
        return Loosened(core, draws) + tail;
    }

    /// <summary>The words that captions can have.</summary>
    public IReadOnlyCollection<string> Words()
    {
        var words = new SortedSet<string>(StringComparer.Ordinal);
        var grammar = EmojiRecolour.Colours.SelectMany(colour => new[] { colour.English, colour.Masculine, colour.Feminine })
            .Concat(EmojiGrammar.EnglishNumbers).Concat(EmojiGrammar.SpanishNumbers).Concat(EmojiGrammar.EnglishTones).Concat(EmojiGrammar.SpanishTones).Concat(data.Index.Styles)
            .Append("a an on background next to left of the right above below and small large skin tone style emoji")
            .Append("sobre fondo y a la izquierda de derecha encima debajo pequeño pequeña grande tono piel estilo emoji emojis de color");
        var shown = data.Pictures.Where(picture => !splits.HidesPicture(data.Index.Styles[picture.Style], data.Concepts[picture.Concept].Codepoints))
            .Select(picture => data.Concepts[picture.Concept]).Distinct().Where(concept => concept.IsDrawable);
        foreach (var text in grammar.Concat(shown.SelectMany(Texts)))
            words.UnionWith(EmojiGrammar.Words(text));
        return words;
    }

    /// <summary>Whether the name can be counted: short, and of something there can be several of.</summary>
    internal static bool IsCountable(EmojiConcept concept) =>
        concept.Group is "animals-nature" or "food-drink" or "objects" or "activities" && Short(concept.English) && !concept.English.EndsWith('s') || concept.Subgroup is "heart" or "cat-face" && Short(concept.English);

    /// <summary>The name with another colour: in place of a colour in the name, else before it (after it in Spanish).</summary>
    internal static (string English, string Spanish) Recoloured(EmojiConcept concept, NamedColour colour)
    {
        var feminine = EmojiGrammar.IsFeminine(concept.Spanish);
        var own = EmojiRecolour.Colours.FirstOrDefault(named => EmojiGrammar.Words(concept.English).Contains(named.English));
        var spanishColour = feminine ? colour.Feminine : colour.Masculine;
        return (
            own is null ? $"{colour.English} {concept.English}" : Replaced(concept.English, own.English, colour.English),
            own is not null && EmojiGrammar.Words(concept.Spanish).FirstOrDefault(word => word == own.Masculine || word == own.Feminine) is { } old ? Replaced(concept.Spanish, old, spanishColour)
            : concept.Spanish.Contains(' ', StringComparison.Ordinal) ? $"{concept.Spanish} de color {colour.Masculine}" : $"{concept.Spanish} {spanishColour}");
    }

    private static bool Short(string label) => !label.Contains(':', StringComparison.Ordinal) && label.Count(letter => letter == ' ') <= 1;

    private static string Replaced(string text, string old, string replacement) => string.Join(' ', text.Split(' ').Select(word => word == old ? replacement : word));

    private static double SpanishShare(SceneKind kind) => kind == SceneKind.Plain ? 0.37 : 0.4;

    private IEnumerable<string> Texts(EmojiConcept concept)
    {
        IEnumerable<string> english = [concept.English, .. concept.EnglishTags, .. _paraphrases.English(concept), .. IsCountable(concept) ? new[] { EmojiGrammar.EnglishPlural(concept.English) } : []];
        return splits.HidesSpanish(concept.Codepoints) ? english
            : english.Concat([concept.Spanish, .. concept.SpanishTags, .. _paraphrases.Spanish(concept), .. IsCountable(concept) && Short(concept.Spanish) ? new[] { EmojiGrammar.SpanishPlural(concept.Spanish) } : []]);
    }

    /// <summary>Shares among English captions: name 0.5, with article 0.14, with tags 0.14, tags alone 0.07, in other words 0.15; alike in Spanish.</summary>
    private string Plain(EmojiConcept concept, EmojiScene scene, bool spanish, HashedDraws draws)
    {
        var (label, tags, phrases) = spanish ? (concept.Spanish, concept.SpanishTags, _paraphrases.Spanish(concept)) : (concept.English, concept.EnglishTags, _paraphrases.English(concept));
        if (OwnColour(concept, scene) is { } colour && draws.Chance(OwnColourShare))
            label = spanish ? Recoloured(concept, colour).Spanish : Recoloured(concept, colour).English;
        var choice = draws.Next();
        if (choice < 0.14)
            return spanish ? $"emoji de {label}" : EmojiGrammar.WithArticle(label);
        if (choice < 0.28 && tags.Count > 0)
            return $"{label}, {Some(tags, draws)}";
        if (choice < 0.35 && tags.Count > 1)
            return Some(tags, draws);
        return choice < 0.5 && phrases.Count > 0 ? draws.Of(phrases) : label;
    }

    /// <summary>The dominant colour, where the name has none and it is not held out with this concept.</summary>
    private NamedColour? OwnColour(EmojiConcept concept, EmojiScene scene) =>
        scene.Colour >= 0 && EmojiRecolour.Colours[scene.Colour] is var colour && !splits.HidesColour(colour.English, concept.Codepoints)
        && !EmojiRecolour.Colours.Any(named => EmojiGrammar.Words(concept.English).Contains(named.English)) ? colour : null;

    private static string Some(IReadOnlyList<string> tags, HashedDraws draws)
    {
        var (first, count) = (draws.Below(tags.Count), Math.Min(tags.Count, 1 + draws.Below(3)));
        return string.Join(", ", Enumerable.Range(0, count).Select(i => tags[(first + i) % tags.Count]));
    }

    private static string English(EmojiConcept concept, EmojiConcept? other, EmojiScene scene, HashedDraws draws)
    {
        var label = concept.English;
        var colour = scene.Colour >= 0 ? EmojiRecolour.Colours[scene.Colour] : null;
        var one = draws.Chance(0.4) ? EmojiGrammar.WithArticle(label) : label;
        return scene.Kind switch
        {
            SceneKind.Recoloured => Recoloured(concept, colour!).English,
            SceneKind.OnGround => $"{one} on {EmojiGrammar.WithArticle(colour!.English)} background",
            SceneKind.Several => $"{EmojiGrammar.EnglishNumbers[scene.Number]} {EmojiGrammar.EnglishPlural(label)}",
            SceneKind.Resized => $"{(scene.Number < 100 ? "small" : "large")} {label}",
            SceneKind.Toned => $"{label}, {EmojiGrammar.EnglishTones[scene.Number]} skin tone",
            _ => $"{EmojiGrammar.WithArticle(label)} {EnglishRelation(scene.Relation)} {EmojiGrammar.WithArticle(other!.English)}",
        };
    }

    private static string Spanish(EmojiConcept concept, EmojiConcept? other, EmojiScene scene)
    {
        var label = concept.Spanish;
        var colour = scene.Colour >= 0 ? EmojiRecolour.Colours[scene.Colour] : null;
        return scene.Kind switch
        {
            SceneKind.Recoloured => Recoloured(concept, colour!).Spanish,
            SceneKind.OnGround => $"{label} sobre fondo {colour!.Masculine}",
            SceneKind.Several => Short(label) ? $"{EmojiGrammar.SpanishNumbers[scene.Number]} {EmojiGrammar.SpanishPlural(label)}" : $"{EmojiGrammar.SpanishNumbers[scene.Number]} emojis de {label}",
            SceneKind.Resized => scene.Number >= 100 ? $"{label} grande" : $"{label} {(EmojiGrammar.IsFeminine(label) ? "pequeña" : "pequeño")}",
            SceneKind.Toned => $"{label}, tono de piel {EmojiGrammar.SpanishTones[scene.Number]}",
            _ => $"{label} {SpanishRelation(scene.Relation)} {other!.Spanish}",
        };
    }

    private static string EnglishRelation(SceneRelation relation) => relation switch
    {
        SceneRelation.LeftOf => "to the left of",
        SceneRelation.RightOf => "to the right of",
        SceneRelation.Above => "above",
        SceneRelation.Below => "below",
        _ => "next to",
    };

    private static string SpanishRelation(SceneRelation relation) => relation switch
    {
        SceneRelation.LeftOf => "a la izquierda de",
        SceneRelation.RightOf => "a la derecha de",
        SceneRelation.Above => "encima de",
        SceneRelation.Below => "debajo de",
        _ => "y",
    };

    /// <summary>People leave hyphens and colons out.</summary>
    private static string Loosened(string text, HashedDraws draws) => draws.Chance(0.5) ? text.Replace('-', ' ').Replace(":", "", StringComparison.Ordinal) : text;
}
