using System.Security.Cryptography;
using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Data.Emoji;

/// <summary>Decides once what training leaves out; the outcome is committed and this only repeats and checks it.</summary>
public static class EmojiSplitting
{
    private const int FewestStyles = 3;

    private static readonly ParallelOptions AllProcessors = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    private const string Rule =
        "H1: the first byte of SHA-256(\"H1|style|codepoints\") is below 16 and at least 3 styles of the concept stay, lowest bytes first. H2: 60 concepts chosen by hand whose words occur in others. "
        + "H3: the first byte of SHA-256(\"H3|colour|codepoints\") is below 26 for drawable concepts that have one dominant colour in some style; ordered pairs: of SHA-256(\"H3|first|second\") below 38. "
        + "H4: of SHA-256(\"H4|es|codepoints\") below 26. Twins: cells that look exactly like a hidden cell or its mirror image. Code points are lower case, joined by \"-\", without fe0e and fe0f.";

    /// <summary>H2: the concepts that no training sees in any style.</summary>
    public static readonly IReadOnlyList<string> UnseenConcepts =
    [
        "1f619", "1f604", "1f626", "1f970", "1f976", "1f973", // faces: kissing with smiling eyes, grinning with smiling eyes, frowning with open mouth, with hearts, cold, partying
        "1f63d", "1f63e", "1f639", // cats: kissing, pouting, with tears of joy
        "1f49c", "1f90e", "1f498", // hearts: purple, brown, with arrow
        "1f91c", "1f446", // right-facing fist, backhand pointing up
        "1f469-200d-1f373", "1f468-200d-1f33e", "1f469-200d-1f52c", "1f468-200d-1f3a8", "1f469-200d-1f680", "1f468-200d-1f692", // woman cook, man farmer, woman scientist, man artist, woman astronaut, man firefighter
        "1f469-200d-1f527", "1f9db-200d-2642", "1f9de-200d-2640", "1f3c4-200d-2642", "1f468-200d-1f9b0", // woman mechanic, man vampire, woman genie, man surfing, man with red hair
        "1f98a", "1f436", "1f40e", "1f401", "1f416", "1f409", "1f420", "1f426-200d-2b1b", // fox, dog face, horse, mouse, pig, dragon, tropical fish, black bird
        "1f4ae", "1f34f", "1f359", "1f379", "1f957", "1f95b", "1f96e", // white flower, green apple, rice ball, tropical drink, green salad, glass of milk, moon cake
        "1f69c", "1f693", "1f69e", "1f68d", "1f326", "1f328", "1f31c", "1f3ce", "1f3e0", // tractor, police car, mountain railway, oncoming bus, sun behind rain cloud, cloud with snow, last quarter moon face, racing car, house
        "1f4d8", "1f4d6", "1f4eb", "1f510", "1f4e9", "1f452", // blue book, open book, closed mailbox with raised flag, locked with key, envelope with arrow, woman's hat
        "1f7e3", "1f7e9", "1f538", "2934", "2754", // purple circle, green square, small orange diamond, arrow curving up, white question mark
    ];

    /// <summary>The splits of a whole data set.</summary>
    public static EmojiSplits Of(EmojiDataset data)
    {
        var codepoints = data.Concepts.Select(concept => concept.Codepoints).ToList();
        if (UnseenConcepts.FirstOrDefault(concept => !codepoints.Contains(concept)) is { } missing)
            throw new BrumaException($"the data set lacks the concept {missing}; splits are made from the whole data set only.");
        var h1 = data.Pictures.GroupBy(picture => picture.Concept).Where(group => !UnseenConcepts.Contains(codepoints[group.Key]))
            .SelectMany(group => Cells(codepoints[group.Key], [.. group.Select(picture => data.Index.Styles[picture.Style])])).ToList();
        var hidden = data.Pictures.Select(picture => new EmojiCell(data.Index.Styles[picture.Style], codepoints[picture.Concept]))
            .Where(cell => UnseenConcepts.Contains(cell.Codepoints)).Concat(h1).ToHashSet();
        return new EmojiSplits(Rule, data.Sha256, h1, UnseenConcepts, Colours(data), [.. codepoints.Where(code => !UnseenConcepts.Contains(code) && EmojiSplits.FirstByte("H4", "es", code) < EmojiSplits.H4Below)], Twins(data, hidden));
    }

    /// <summary>Writes <c>splits.json</c> and <c>words.txt</c>, one word a line.</summary>
    public static void Write(string folder, EmojiDataset data)
    {
        var splits = Of(data);
        AtomicFile.WriteText(Path.Combine(folder, "splits.json"), splits.ToJson());
        AtomicFile.WriteText(Path.Combine(folder, "words.txt"), string.Join('\n', new EmojiCaptions(data, splits).Words()) + "\n");
    }

    /// <summary>H1 of one concept.</summary>
    private static IEnumerable<EmojiCell> Cells(string codepoints, List<string> styles) => styles
        .Select(style => (Byte: EmojiSplits.FirstByte("H1", style, codepoints), style))
        .Where(entry => entry.Byte < EmojiSplits.H1Below).OrderBy(entry => entry.Byte).Take(Math.Max(0, styles.Count - FewestStyles))
        .Select(entry => new EmojiCell(entry.style, codepoints));

    private static List<EmojiColour> Colours(EmojiDataset data)
    {
        using var scope = NewDisposeScope();
        var (coloured, pixels) = (new bool[data.Concepts.Count], data.Pixels);
        Parallel.For(0, data.Pictures.Count, AllProcessors, i =>
        {
            using var own = NewDisposeScope();
            if (EmojiRecolour.Dominant(pixels[i]) is not null)
                coloured[data.Pictures[i].Concept] = true;
        });
        return [.. data.Concepts.Where((concept, i) => coloured[i] && concept.IsDrawable && !UnseenConcepts.Contains(concept.Codepoints)).SelectMany(concept => EmojiRecolour.Colours
            .Where(colour => EmojiSplits.FirstByte("H3", colour.English, concept.Codepoints) < EmojiSplits.H3ColourBelow)
            .Select(colour => new EmojiColour(colour.English, concept.Codepoints)))];
    }

    private static List<EmojiCell> Twins(EmojiDataset data, HashSet<EmojiCell> hidden)
    {
        var (looks, pixels) = (new (string Own, string Mirrored)[data.Pictures.Count], data.Pixels);
        Parallel.For(0, looks.Length, AllProcessors, i =>
        {
            using var own = NewDisposeScope();
            looks[i] = (Look(pixels[i]), Look(pixels[i].flip(2)));
        });
        var cells = data.Pictures.Select(picture => new EmojiCell(data.Index.Styles[picture.Style], data.Concepts[picture.Concept].Codepoints)).ToList();
        var seen = Enumerable.Range(0, looks.Length).Where(i => hidden.Contains(cells[i])).SelectMany(i => new[] { looks[i].Own, looks[i].Mirrored }).ToHashSet();
        return [.. Enumerable.Range(0, looks.Length).Where(i => !hidden.Contains(cells[i]) && seen.Contains(looks[i].Own)).Select(i => cells[i])];
    }

    private static unsafe string Look(Tensor rgba)
    {
        using var scope = NewDisposeScope();
        var pixels = rgba.contiguous();
        return Convert.ToHexStringLower(SHA256.HashData(new ReadOnlySpan<byte>((void*)TensorMemory.Address(pixels), (int)pixels.numel())));
    }
}
