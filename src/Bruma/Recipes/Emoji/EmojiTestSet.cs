using Bruma.Nn;

namespace Bruma.Recipes.Emoji;

/// <summary>Prompts that are measured together.</summary>
/// <param name="Key">In <c>metrics.json</c>.</param>
/// <param name="Title">For people.</param>
internal sealed record EmojiTestSet(string Key, string Title, IReadOnlyList<EmojiPrompt> Prompts)
{
    private const long Drawing = 51;

    /// <summary>What is asked of the model: learned pictures in both languages, and everything held out, each on its own.</summary>
    /// <param name="count">Prompts of each set; fewer where there are fewer.</param>
    public static IReadOnlyList<EmojiTestSet> All(EmojiPrompts prompts, EmojiScenes scenes, int count) =>
    [
        new("seen", "learned, English", prompts.LearnedInBoth(count, spanish: false)),
        new("seen_es", "learned, Spanish", prompts.LearnedInBoth(count, spanish: true)),
        new("h1", "H1: styles of learned concepts", prompts.HiddenStyles(count)),
        new("h2", "H2: concepts", prompts.HiddenConcepts(count)),
        new("h3", "H3: colours and pairs", [.. scenes.HeldOut(new HashedDraws(Drawing, 3)).Take(count).Select(prompts.Composed)]),
        new("h4", "H4: Spanish of concepts learned in English", prompts.HiddenSpanish(count)),
    ];
}
