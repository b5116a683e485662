using Bruma.Data;
using Bruma.Data.Sequences;
using Bruma.Tests.Support;

namespace Bruma.Tests.Data;

public sealed class SequenceTaskTests
{
    [Theory]
    [InlineData(0, "cero")]
    [InlineData(100, "cien")]
    [InlineData(101, "ciento uno")]
    [InlineData(1000, "mil")]
    [InlineData(1021, "mil veintiuno")]
    [InlineData(21_000, "veintiún mil")]
    [InlineData(31_031, "treinta y un mil treinta y uno")]
    [InlineData(101_000, "ciento un mil")]
    [InlineData(716_522, "setecientos dieciséis mil quinientos veintidós")]
    public void Spanish_numbers_follow_the_rules_of_the_language(int number, string words) => Assert.Equal(words, SpanishNumberTask.Words(number));

    [Theory]
    [InlineData("dates")]
    [InlineData("numbers-es")]
    [InlineData("copy")]
    [InlineData("reverse")]
    [InlineData("sort")]
    public void What_is_held_out_is_never_trained_and_every_character_is_known(string name)
    {
        var task = SequenceTask.Open(name);
        var known = task.Characters.ToHashSet(StringComparer.Ordinal);
        var held = task.HeldOut(200);
        var training = Enumerable.Range(0, 3000).Select(i => task.Training(5, i)).ToList();
        Assert.Equal(200, held.Count);
        Assert.Empty(held.Select(example => example.Source).Intersect(training.Select(example => example.Source)));
        Assert.All(held.Concat(training), example => Assert.All((example.Source + example.Target).EnumerateRunes(), rune => Assert.Contains(rune.ToString(), known)));
        Assert.Equal(training[7], task.Training(5, 7));
        Assert.NotEqual(training[7], task.Training(6, 7));
    }

    [Theory]
    [InlineData("a\tb\nc\n", "line 2: has 1 columns")]
    [InlineData("a\t \n", "line 1: one of the two texts is empty")]
    [InlineData("a\tb\n", "too few")]
    public void A_file_that_is_no_use_is_named_with_its_line(string text, string message)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["pairs.tsv"], text);
        Assert.Contains(message, Assert.Throws<BrumaException>(() => SequenceTask.Open(folder["pairs.tsv"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Manual_pages_lose_their_markup()
    {
        const string Page = ".\\\" a comment\n.TH LS 1\n.SH NOMBRE\nls \\- lista el \\fBcontenido\\fP\n.TP\n\\fB\\-\\-all\\fP\n.B \"dos palabras\"\n.so man1/x.1\ncomillas \\(aqasí\\(aq\n";
        Assert.Equal("NOMBRE\nls - lista el contenido\n--all\ndos palabras\ncomillas 'así'\n", ManPages.PlainText(Page));
    }

    [Fact]
    public void Text_that_is_no_text_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["latin1.txt"], [(byte)'a', 0xE9, (byte)'b']);
        Assert.Contains("is no UTF-8 at byte 1", Assert.Throws<BrumaException>(() => TextCorpus.Read(folder["latin1.txt"])).Message, StringComparison.Ordinal);
        Assert.Contains("no such file", Assert.Throws<BrumaException>(() => TextCorpus.Read(folder["missing.txt"])).Message, StringComparison.Ordinal);
    }
}
