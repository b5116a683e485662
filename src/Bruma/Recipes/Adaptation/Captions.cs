using Bruma.Data;
using Bruma.Nn;

namespace Bruma.Recipes.Adaptation;

/// <summary>What is said of a picture in training.</summary>
/// <param name="options">Templates, shuffling and dropout.</param>
internal sealed class Captions(AdaptationOptions options)
{
    public const string WideColumn = "wide_text";

    /// <summary>Sentences around a new word, so that it is learned as a word and not as a whole prompt.</summary>
    private static readonly string[] Sentences =
        ["a photo of {0}", "a picture of {0}", "a close-up photo of {0}", "a cropped photo of {0}", "a bright photo of {0}", "a good photo of {0}", "a photo of one {0}", "a rendition of {0}", "a photo of the {0}", "an image of {0}"];

    /// <summary>The same where the word is a manner of drawing, of pictures about which nothing is known.</summary>
    private static readonly string[] StyleSentences =
        ["a picture in the style of {0}", "a drawing in the style of {0}", "an image in the style of {0}", "a small picture in the style of {0}", "a clean picture in the style of {0}", "a good drawing in the style of {0}"];

    /// <summary>The caption of an example; null where nothing is known of it.</summary>
    public string? Of(ImageSource source, ImageExample example)
    {
        if (options.InstancePrompt is { } instance)
            return instance;
        if (example.Caption is { Length: > 0 } caption)
            return caption;
        var label = example.Class is { } index ? source.ClassNames[index].Replace('_', ' ') : null;
        if (options.CaptionTemplate is { } template)
            return template.Replace("{class}", label ?? "", StringComparison.Ordinal);
        return label is null ? null : $"a photo of a {label}";
    }

    /// <summary>All that may be said of an example, its caption first.</summary>
    /// <param name="unknown">What is said where nothing is known of it.</param>
    public IReadOnlyList<string> All(ImageSource source, ImageExample example, string unknown) =>
        Of(source, example) is not { } first ? [unknown] : options.InstancePrompt is null ? [first, .. example.OtherCaptions ?? []] : [first];

    /// <summary>What may be said of an example where the largest square around its head is shown: <c>wide_text</c> of <c>metadata.jsonl</c>, a text or a list; null without.</summary>
    public static IReadOnlyList<string>? Wide(ImageExample example) => example.Columns?.GetValueOrDefault(WideColumn) switch
    {
        null or "" => null,
        ['[', ..] => PictureMetadata.Column<string[]>(example, WideColumn) is { Length: > 0 } list ? list : null,
        var text => [text],
    };

    /// <summary>One of the captions as it is shown this time: dropped, shuffled, or in another sentence, as (seed, place) has it.</summary>
    public string Shown(IReadOnlyList<string> captions, long place)
    {
        var caption = captions.Count == 1 ? captions[0] : captions[(int)(HashedSeed.Of(options.Seed, 6, place) % (uint)captions.Count)];
        var draw = HashedSeed.Of(options.Seed, 3, place);
        if ((draw >> 11) * (1.0 / (1UL << 53)) < options.CaptionDropout)
            return "";
        if (HasNewWord)
            return WithNewWord(caption, HashedSeed.Of(options.Seed, 4, place));
        if (!options.ShuffleTags)
            return caption;
        var tags = caption.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return string.Join(", ", tags.Select((tag, i) => (tag, HashedSeed.Of(options.Seed, 5, place, i))).OrderBy(pair => pair.Item2).Select(pair => pair.tag));
    }

    /// <summary>A caption as the model is asked for it when it is looked at: with the new word, where one is trained.</summary>
    public string Asked(string caption) => HasNewWord ? WithNewWord(caption, 0) : caption;

    private bool HasNewWord => options.Recipe == AdaptationOptions.TextualInversion && options.InstancePrompt is null; // a prompt of the user's own has it already

    private string WithNewWord(string caption, ulong draw)
    {
        var word = options.PlaceholderToken!;
        if (options.LearnableProperty == AdaptationOptions.Style && caption.Length > 0 && caption != word)
            return $"{caption}, {word} style"; // what is shown has its words already, so that the new one is left with how
        var sentences = options.LearnableProperty == AdaptationOptions.Style ? StyleSentences : Sentences;
        return string.Format(System.Globalization.CultureInfo.InvariantCulture, sentences[(int)(draw % (uint)sentences.Length)], word);
    }

    /// <summary>What a set without captions is told, so that nobody is surprised.</summary>
    public string Missing => options.Recipe == AdaptationOptions.TextualInversion ? options.PlaceholderToken! : "";
}
