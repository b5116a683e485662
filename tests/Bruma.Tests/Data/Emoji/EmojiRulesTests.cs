using Bruma.Data.Emoji;
using Bruma.Tests.Support;

namespace Bruma.Tests.Data.Emoji;

/// <summary>Which concepts are drawn and mirrored.</summary>
public sealed class EmojiRulesTests
{
    [Theory]
    [InlineData("cat face", "animals-nature", "animal-mammal", true)]
    [InlineData("flag: spain", "flags", "country-flag", false)]
    [InlineData("keycap: 1", "symbols", "keycap", false)]
    [InlineData("three o'clock", "travel-places", "time", false)]
    [InlineData("alarm clock", "travel-places", "time", true)]
    [InlineData("regional indicator a", "", "", false)]
    public void Small_pictures_are_drawn_only_of_what_can_be_told_apart(string english, string group, string subgroup, bool drawable) =>
        Assert.Equal(drawable, new EmojiConcept("x", english, "", [], [], group, subgroup).IsDrawable);

    [Theory]
    [InlineData("food-drink", true)]
    [InlineData("symbols", false)] // arrows would point elsewhere
    public void Only_what_has_no_side_is_mirrored(string group, bool mirrored) => Assert.Equal(mirrored, new EmojiConcept("x", "x", "x", [], [], group, "").HasNoSide);

    [Fact]
    public void Every_style_is_trained_and_the_unseen_one_is_not()
    {
        Assert.Equal(["noto", "blob", "twemoji", "fluent", "flat", "3d", "firefox", "emojione"], EmojiPackages.Styles);
        Assert.DoesNotContain(EmojiPackages.Unseen.Style, EmojiPackages.Styles);
        Assert.DoesNotContain(EmojiPackages.Trained, package => package.Licence.Contains("SA"));
    }

    [Fact]
    public void The_words_that_the_model_knows_lack_those_of_hidden_concepts()
    {
        var words = File.ReadAllLines(Path.Combine(Repository.Root, "models", "emoji", "words.txt")).ToHashSet();
        Assert.Contains("cat", words);
        Assert.Contains("gato", words);
        Assert.DoesNotContain("fox", words);
        Assert.DoesNotContain("tractor", words);
    }
}
