using Bruma.Tests.Support;
using Bruma.Text;

namespace Bruma.Tests.Text;

public sealed class PromptTests
{
    private static readonly PromptTokenizer Prompts = new(Tokenizer.Load(Path.Combine(Repository.Goldens, "pipelines", "tiny-sd", "tokenizer")));

    [Fact]
    public void Adapters_leave_the_prompt_and_default_to_weight_1()
    {
        var (prompt, adapters) = PromptAdapters.Extract("a cat <lora:tabby:0.7> on <cat-toy><lora:style>");
        Assert.Equal("a cat  on <cat-toy>", prompt);
        Assert.Equal([new PromptAdapter("tabby", 0.7), new PromptAdapter("style", 1)], adapters);
    }

    [Theory]
    [InlineData("<lora:x:much>", "much")]
    [InlineData("<hypernet:x:1>", "hypernet")]
    [InlineData("<lora:x:1:0.5>", "different weights")]
    public void Tags_that_mean_nothing_here_are_named(string prompt, string expected) =>
        Assert.Contains(expected, Assert.Throws<BrumaException>(() => PromptAdapters.Extract(prompt)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_break_within_brackets_splits_too() =>
        Assert.Equal([new("a", 1.1), PromptPart.Break, new("b", 1.1)], PromptWeights.Parse("(a BREAK b)"));

    [Fact]
    public void Plain_reading_is_one_window_cut_at_75_tokens()
    {
        var chunk = Assert.Single(Prompts.Read(string.Concat(Enumerable.Repeat("cat ", 100)), PromptSyntax.Plain));
        Assert.Equal(77, chunk.Ids.Count);
        Assert.Equal(49407, chunk.Ids[^1]);
        Assert.Equal(75, chunk.Ids.Count(id => id == chunk.Ids[1]));
    }

    [Fact]
    public void Long_prompts_break_after_the_last_comma_that_is_near()
    {
        var chunks = Prompts.Read(string.Concat(Enumerable.Repeat("cat ", 65)) + "dog, " + string.Concat(Enumerable.Repeat("bird ", 20)), PromptSyntax.A1111);
        Assert.Equal(2, chunks.Count);
        Assert.Equal(67, chunks[0].Ids.Skip(1).TakeWhile(id => id != 49407).Count());
        Assert.Equal(20, chunks[1].Ids.Skip(1).TakeWhile(id => id != 49407).Count());
    }

    [Fact]
    public void Words_of_several_vectors_stay_in_one_window()
    {
        var prompts = Prompts.With("<toy>", 4);
        var plain = Assert.Single(prompts.Read("a <toy>", PromptSyntax.Plain));
        Assert.Equal([49408, 49409, 49410, 49411, 49407], plain.Ids.Skip(2).Take(5));
        var chunks = prompts.Read(string.Concat(Enumerable.Repeat("cat ", 73)) + "(<toy>:1.5)", PromptSyntax.A1111);
        Assert.Equal([49406, 49408, 49409, 49410, 49411, 49407], chunks[1].Ids.Take(6));
        Assert.Equal([1, 1.5, 1.5, 1.5, 1.5, 1], chunks[1].Weights.Take(6));
    }

    [Fact]
    public void A_word_that_the_vocabulary_has_is_refused() => Assert.Throws<BrumaException>(() => Prompts.With("cat</w>", 1));
}
