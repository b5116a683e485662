using Bruma.Tests.Support;
using Bruma.Text;

namespace Bruma.Tests.Text;

public sealed class TokenizerTrainingTests
{
    private const string Text = "low low low low low lower lower newest newest newest newest newest newest widest widest widest\n";

    [Fact]
    public void The_commonest_pairs_are_joined_first()
    {
        var trained = TokenizerTraining.Train([(Text, 1)], new TokenizerTrainingOptions(264, MinFrequency: 2));
        Assert.Equal(("e", "s"), trained.Merges[0]); // 9 times; Sennrich's example
        Assert.Equal(("es", "t"), trained.Merges[1]);
        Assert.Equal(264, trained.Tokens.Count);
        Assert.Equal("<|endoftext|>", trained.Tokens[^1]);
    }

    [Theory]
    [InlineData("gpt2", "ñandú 😀\n\tend  low\0", "ñandú 😀\n\tend  low\0")]
    [InlineData("clip", "Lowest  Ñandú, 12", "lowest ñandú , 1 2")]
    public void A_trained_tokenizer_loads_and_gives_back_any_text(string style, string text, string back)
    {
        using var folder = new TemporaryFolder();
        TokenizerTraining.Train([(Text, 3)], new TokenizerTrainingOptions(600, style, MaxLength: 32)).Save(folder.Root);
        var tokenizer = Tokenizer.Load(folder.Root);
        Assert.Equal(back, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Equal(32, tokenizer.Options.MaxLength);
        Assert.Equal(style == "clip" ? 3 : 1, tokenizer.Encode("low").Count);
    }

    [Fact]
    public void A_weight_counts_as_repetition_and_order_does_not_matter()
    {
        var options = new TokenizerTrainingOptions(290);
        var weighted = TokenizerTraining.Train([("abc abd", 3), (Text, 1)], options);
        var repeated = TokenizerTraining.Train([(Text, 1), ("abc abd", 1), ("abc abd", 2)], options);
        Assert.Equal(weighted.Tokens, repeated.Tokens);
    }

    [Theory]
    [InlineData(100, "gpt2", "vocab_size is 100")]
    [InlineData(600, "bert", "style is \"bert\"")]
    public void Wrong_options_are_named(int size, string style, string message) =>
        Assert.StartsWith(message, Assert.Throws<BrumaException>(() => TokenizerTraining.Train([(Text, 1)], new TokenizerTrainingOptions(size, style))).Message, StringComparison.Ordinal);
}
