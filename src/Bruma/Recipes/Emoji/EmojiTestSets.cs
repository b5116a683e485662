using Bruma.Data.Emoji;
using Bruma.Nn;

namespace Bruma.Recipes.Emoji;

/// <summary>A prompt of the test, and what it asks for.</summary>
/// <param name="Scene">The real picture of it.</param>
/// <param name="Concepts">Indices of what may be recognised in it: one, or both of a pair.</param>
/// <param name="Style">Index.</param>
internal sealed record EmojiPrompt(string Caption, EmojiScene Scene, IReadOnlyList<int> Concepts, int Style);

/// <summary>Prompts that are measured together.</summary>
/// <param name="Key">In <c>metrics.json</c>.</param>
/// <param name="Title">For people.</param>
internal sealed record EmojiTestSet(string Key, string Title, IReadOnlyList<EmojiPrompt> Prompts);

/// <summary>What is asked of the model: learned pictures in both languages, and everything held out, each on its own.</summary>
internal sealed class EmojiTestSets(EmojiDataset data, EmojiSplits splits, EmojiScenes scenes)
{
    private const long Drawing = 51;

    /// <param name="count">Prompts of each set; fewer where there are fewer.</param>
    public IReadOnlyList<EmojiTestSet> All(int count)
    {
        bool Learned(string style, EmojiConcept concept) => !splits.HidesPicture(style, concept.Codepoints);
        return
        [
            new("seen", "learned, English", Plain(count, (style, concept) => Learned(style, concept) && !splits.HidesSpanish(concept.Codepoints), false)),
            new("seen_es", "learned, Spanish", Plain(count, (style, concept) => Learned(style, concept) && !splits.HidesSpanish(concept.Codepoints), true)),
            new("h1", "H1: styles of learned concepts", Plain(count, (style, concept) => splits.H1.Contains(new EmojiCell(style, concept.Codepoints)) && !splits.HidesConcept(concept.Codepoints), false)),
            new("h2", "H2: concepts", Plain(count, (_, concept) => splits.HidesConcept(concept.Codepoints), false)),
            new("h3", "H3: colours and pairs", [.. scenes.HeldOut(new HashedDraws(Drawing, 3)).Take(count).Select(Composed)]),
            new("h4", "H4: Spanish of concepts learned in English", Plain(count, (style, concept) => Learned(style, concept) && splits.HidesSpanish(concept.Codepoints), true)),
        ];
    }

    private List<EmojiPrompt> Plain(int count, Func<string, EmojiConcept, bool> belongs, bool spanish)
    {
        var all = Enumerable.Range(0, data.Pictures.Count).Where(i => ConceptOf(i).IsDrawable && belongs(StyleOf(i), ConceptOf(i))).ToList();
        return [.. Enumerable.Range(0, Math.Min(count, all.Count)).Select(i => all[(int)((long)i * all.Count / Math.Min(count, all.Count))])
            .Select(i => new EmojiPrompt(spanish ? $"{ConceptOf(i).Spanish}, estilo {StyleOf(i)}" : $"{ConceptOf(i).English}, {StyleOf(i)} style", new EmojiScene(SceneKind.Plain, i), [data.Pictures[i].Concept], data.Pictures[i].Style))];
    }

    private EmojiPrompt Composed(EmojiScene scene)
    {
        var concepts = scene.Kind == SceneKind.Pair ? new[] { data.Pictures[scene.Picture].Concept, data.Pictures[scene.Other].Concept } : [data.Pictures[scene.Picture].Concept];
        var label = scene.Kind == SceneKind.Pair
            ? $"{EmojiGrammar.WithArticle(ConceptOf(scene.Picture).English)} next to {EmojiGrammar.WithArticle(ConceptOf(scene.Other).English)}"
            : EmojiCaptions.Recoloured(ConceptOf(scene.Picture), EmojiRecolour.Colours[scene.Colour]).English;
        return new EmojiPrompt($"{label}, {StyleOf(scene.Picture)} style", scene, concepts, data.Pictures[scene.Picture].Style);
    }

    private EmojiConcept ConceptOf(int picture) => data.Concepts[data.Pictures[picture].Concept];

    private string StyleOf(int picture) => data.Index.Styles[data.Pictures[picture].Style];
}
