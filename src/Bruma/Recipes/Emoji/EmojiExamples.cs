using Bruma.Data.Emoji;

namespace Bruma.Recipes.Emoji;

/// <summary>A picture of the data set with the plainest caption.</summary>
internal sealed record EmojiExample(int Picture, string Caption);

/// <summary>Fixed examples of what was learned and of what was held out, spread over the data set.</summary>
internal sealed class EmojiExamples(EmojiDataset data, EmojiSplits splits)
{
    /// <summary>Pictures that are learned.</summary>
    public List<EmojiExample> Seen(int count) => Some(count, (style, concept) => !splits.HidesPicture(style, concept.Codepoints));

    /// <summary>Styles of concepts that are learned in other styles (H1).</summary>
    public List<EmojiExample> HiddenStyles(int count) => Some(count, (style, concept) => splits.H1.Contains(new EmojiCell(style, concept.Codepoints)) && !splits.HidesConcept(concept.Codepoints));

    /// <summary>Concepts that are never learned (H2).</summary>
    public List<EmojiExample> HiddenConcepts(int count) => Some(count, (_, concept) => splits.HidesConcept(concept.Codepoints));

    /// <summary>Concepts of which no Spanish caption is learned, asked for in Spanish (H4).</summary>
    public List<EmojiExample> HiddenSpanish(int count) => Some(count, (style, concept) => splits.HidesSpanish(concept.Codepoints) && !splits.HidesPicture(style, concept.Codepoints), spanish: true);

    private List<EmojiExample> Some(int count, Func<string, EmojiConcept, bool> belongs, bool spanish = false)
    {
        var all = Enumerable.Range(0, data.Pictures.Count).Where(i => ConceptOf(i).IsDrawable && belongs(StyleOf(i), ConceptOf(i))).ToList();
        return [.. Enumerable.Range(0, Math.Min(count, all.Count)).Select(i => all[(int)((long)i * all.Count / Math.Min(count, all.Count))])
            .Select(i => new EmojiExample(i, spanish ? $"{ConceptOf(i).Spanish}, estilo {StyleOf(i)}" : $"{ConceptOf(i).English}, {StyleOf(i)} style"))];
    }

    private EmojiConcept ConceptOf(int picture) => data.Concepts[data.Pictures[picture].Concept];

    private string StyleOf(int picture) => data.Index.Styles[data.Pictures[picture].Style];
}
