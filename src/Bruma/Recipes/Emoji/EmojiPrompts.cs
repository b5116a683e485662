using Bruma.Data.Emoji;

namespace Bruma.Recipes.Emoji;

/// <summary>A prompt that says plainly what a picture shows, and what it asks for.</summary>
/// <param name="Scene">The real picture of it.</param>
/// <param name="Concepts">Indices of what may be recognised in it: one, or both of a pair.</param>
/// <param name="Style">Index.</param>
internal sealed record EmojiPrompt(string Caption, EmojiScene Scene, IReadOnlyList<int> Concepts, int Style);

/// <summary>Prompts of pictures that were learned or held out, spread over the data set.</summary>
internal sealed class EmojiPrompts(EmojiDataset data, EmojiSplits splits)
{
    /// <summary>Pictures that are learned.</summary>
    /// <param name="count">Fewer where there are fewer.</param>
    public List<EmojiPrompt> Learned(int count) => Some(count, IsLearned);

    /// <summary>Those of them whose concepts are learned in both languages.</summary>
    public List<EmojiPrompt> LearnedInBoth(int count, bool spanish) => Some(count, (style, concept) => IsLearned(style, concept) && !splits.HidesSpanish(concept.Codepoints), spanish);

    /// <summary>Styles of concepts that are learned in other styles (H1).</summary>
    public List<EmojiPrompt> HiddenStyles(int count) => Some(count, (style, concept) => splits.H1.Contains(new EmojiCell(style, concept.Codepoints)) && !splits.HidesConcept(concept.Codepoints));

    /// <summary>Concepts that are never learned (H2).</summary>
    public List<EmojiPrompt> HiddenConcepts(int count) => Some(count, (_, concept) => splits.HidesConcept(concept.Codepoints));

    /// <summary>Concepts of which no Spanish caption is learned, asked for in Spanish (H4).</summary>
    public List<EmojiPrompt> HiddenSpanish(int count) => Some(count, (style, concept) => IsLearned(style, concept) && splits.HidesSpanish(concept.Codepoints), spanish: true);

    /// <summary>A composed scene, recoloured or a pair.</summary>
    public EmojiPrompt Composed(EmojiScene scene)
    {
        var (first, second) = (ConceptOf(scene.Picture), scene.Kind == SceneKind.Pair ? ConceptOf(scene.Other) : null);
        var label = second is null
            ? EmojiCaptions.Recoloured(first, EmojiRecolour.Colours[scene.Colour]).English
            : $"{EmojiGrammar.WithArticle(first.English)} next to {EmojiGrammar.WithArticle(second.English)}";
        int[] concepts = second is null ? [data.Pictures[scene.Picture].Concept] : [data.Pictures[scene.Picture].Concept, data.Pictures[scene.Other].Concept];
        return new EmojiPrompt($"{label}, {StyleOf(scene.Picture)} style", scene, concepts, data.Pictures[scene.Picture].Style);
    }

    /// <summary>As many of a list as asked for, at even distances.</summary>
    public static List<T> Spread<T>(IReadOnlyList<T> all, int count) => [.. Enumerable.Range(0, Math.Min(count, all.Count)).Select(i => all[(int)((long)i * all.Count / Math.Min(count, all.Count))])];

    private List<EmojiPrompt> Some(int count, Func<string, EmojiConcept, bool> belongs, bool spanish = false) =>
        [.. Spread([.. Enumerable.Range(0, data.Pictures.Count).Where(i => ConceptOf(i).IsDrawable && belongs(StyleOf(i), ConceptOf(i)))], count)
            .Select(i => new EmojiPrompt(spanish ? $"{ConceptOf(i).Spanish}, estilo {StyleOf(i)}" : $"{ConceptOf(i).English}, {StyleOf(i)} style", new EmojiScene(SceneKind.Plain, i), [data.Pictures[i].Concept], data.Pictures[i].Style))];

    private bool IsLearned(string style, EmojiConcept concept) => !splits.HidesPicture(style, concept.Codepoints);

    private EmojiConcept ConceptOf(int picture) => data.Concepts[data.Pictures[picture].Concept];

    private string StyleOf(int picture) => data.Index.Styles[data.Pictures[picture].Style];
}
