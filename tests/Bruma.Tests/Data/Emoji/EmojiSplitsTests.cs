using System.Text.Json;
using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Tests.Support;
using Bruma.Verification;

namespace Bruma.Tests.Data.Emoji;

/// <summary>What the shipped model must never have seen.</summary>
public sealed class EmojiSplitsTests
{
    private static readonly EmojiSplits Splits = EmojiSplits.Committed;

    [Fact]
    public void Every_cell_colour_and_language_that_is_held_out_has_a_low_first_byte()
    {
        Assert.Equal(634, Splits.H1.Count);
        Assert.All(Splits.H1, cell => Assert.InRange(EmojiSplits.FirstByte("H1", cell.Style, cell.Codepoints), 0, 15));
        Assert.All(Splits.H3, entry => Assert.InRange(EmojiSplits.FirstByte("H3", entry.Colour, entry.Codepoints), 0, 25));
        Assert.All(Splits.H4, codepoints => Assert.InRange(EmojiSplits.FirstByte("H4", "es", codepoints), 0, 25));
    }

    [Fact]
    public void Sixty_concepts_are_hidden_in_every_style()
    {
        Assert.Equal(60, Splits.H2.Distinct().Count());
        Assert.Equal(EmojiSplitting.UnseenConcepts, Splits.H2);
        Assert.All(EmojiPackages.Styles, style => Assert.True(Splits.HidesPicture(style, "1f63d"))); // kissing cat
        Assert.Empty(Splits.H1.Select(cell => cell.Codepoints).Intersect(Splits.H2));
        Assert.Empty(Splits.H4.Intersect(Splits.H2));
    }

    [Theory]
    [InlineData("1f63d")] // kissing cat
    [InlineData("1f63e")] // pouting cat
    [InlineData("1f34f")] // green apple
    [InlineData("1f49c")] // purple heart
    [InlineData("1f98a")] // fox
    [InlineData("1f69c")] // tractor
    public void Concepts_of_the_recipe_are_among_them(string codepoints) => Assert.True(Splits.HidesConcept(codepoints));

    [Fact]
    public void Look_alikes_of_what_is_hidden_are_left_out_too()
    {
        Assert.True(Splits.HidesPicture("noto", "1f9d1-200d-1f680")); // Noto draws astronaut, man astronaut and woman astronaut alike
        Assert.False(Splits.HidesPicture("twemoji", "1f9d1-200d-1f680"));
    }

    [Fact]
    public void Pairs_are_held_out_by_order()
    {
        var pairs = Splits.H4.SelectMany(first => Splits.H4.Select(second => EmojiSplits.HidesPair(first, second))).ToList();
        Assert.InRange(pairs.Average(hidden => hidden ? 1.0 : 0), 0.13, 0.17); // 38 of 256
    }

    [Fact]
    public void One_of_five_pets_photos_stays_out()
    {
        var pets = SharedFolder.Find(Repository.Goldens, Path.Combine("data", "pets"));
        Assert.SkipUnless(pets is not null, "needs the pets photos; set BRUMA_SHARED");
        var names = File.ReadLines(Path.Combine(pets, "metadata.jsonl")).Select(line => JsonDocument.Parse(line).RootElement).Select(row => (File: row.GetProperty("file_name").GetString()!, Species: row.GetProperty("species").GetString())).ToList();
        Assert.Equal(78, names.Count(row => row.Species == "cat" && !PhotoSplit.IsSeen(row.File)));
        Assert.Equal(113, names.Count(row => !PhotoSplit.IsSeen(row.File)));

        var seen = PhotoSplit.Seen(ImageSource.Open(pets));
        Assert.Equal(names.Where(row => PhotoSplit.IsSeen(row.File)).Select(row => row.File), seen.Examples.Select(example => example.Name));
    }

    [Theory]
    [InlineData("Abyssinian/Abyssinian_1.jpg", true)]
    [InlineData("Abyssinian/Abyssinian_10.jpg", false)]
    [InlineData("Abyssinian/Abyssinian_101.jpg", true)]
    [InlineData("Abyssinian_101.jpg", false)] // without the folder it is another name
    public void The_name_counts_to_the_letter(string file, bool seen) => Assert.Equal(seen, PhotoSplit.IsSeen(file));
}
