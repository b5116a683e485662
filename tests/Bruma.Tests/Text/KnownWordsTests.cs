using Bruma.Tests.Support;
using Bruma.Text;

namespace Bruma.Tests.Text;

public sealed class KnownWordsTests
{
    private static readonly KnownWords Words = KnownWords.Of(Path.Combine(Repository.Root, "models", "emoji"))!;

    [Theory]
    [InlineData("A smiling CAT with heart-eyes")]
    [InlineData("un gato enamorado")]
    [InlineData("corazón azul")]
    [InlineData("")]
    public void Prompts_with_a_known_word_need_no_notice(string prompt) => Assert.Null(Words.Notice(prompt));

    [Fact]
    public void Prompts_without_one_get_a_sentence_with_their_words() => Assert.Contains("xylotomous qwerty", Words.Notice("Xylotomous, qwerty!")!.Replace(", ", " ", StringComparison.Ordinal));

    [Fact]
    public void Unknown_words_are_told_once_in_order() => Assert.Equal(["fox", "qwerty"], Words.UnknownIn("a fox, a cat and a qwerty fox"));

    [Fact]
    public void Folders_without_a_list_have_no_opinion() => Assert.Null(KnownWords.Of(Path.Combine(Repository.Root, "models", "fashion")));
}
