using System.Buffers.Binary;
using System.Text.Json;
using Bruma.Tests.Support;
using Bruma.Text;

namespace Bruma.Tests.Text;

public sealed class TokenizerTests
{
    private static readonly string Clip = Path.Combine(Repository.Goldens, "pipelines", "tiny-sd", "tokenizer");
    private static readonly string BytePairs = Path.Combine(Repository.Goldens, "tokenizers", "byte-bpe");

    [Fact]
    public void Prompts_are_cut_and_filled_to_the_models_length()
    {
        var tokenizer = Tokenizer.Load(Clip);
        var options = new EncodingOptions(Truncation: Truncation.LongestFirst, Padding: Padding.MaxLength);
        var texts = tokenizer.EncodeBatch(["a cat", string.Join(' ', Enumerable.Repeat("cat", 200))], options);
        Assert.Equal(77, texts[0].Ids.Count);
        Assert.Equal([49406, 320, 2368, 49407, 49407], texts[0].Ids.Take(5));
        Assert.Equal(4, texts[0].AttentionMask.Sum());
        Assert.Equal((49406, 2368, 49407), (texts[1].Ids[0], texts[1].Ids[75], texts[1].Ids[76]));
    }

    [Fact]
    public void Second_encoders_take_the_vocabulary_from_elsewhere_and_keep_their_padding()
    {
        var tokenizer = Tokenizer.Load(Path.Combine(Repository.Goldens, "pipelines", "tiny-sdxl", "tokenizer_2"), Clip);
        Assert.Equal(0, tokenizer.Options.PadId);
        Assert.Equal([49406, 2368, 49407, 0], tokenizer.Encode("cat", null, new EncodingOptions(4, Padding: Padding.MaxLength)).Ids);
    }

    [Fact]
    public void Added_tokens_are_found_before_everything_else()
    {
        var tokenizer = Tokenizer.Load(Clip).With(["<My-Cat>", "<My-Cat>_1"]);
        Assert.Equal([49406, 320, 49408, 49409, 49407], tokenizer.Encode("a <My-Cat><My-Cat>_1"));
        Assert.DoesNotContain(49408, tokenizer.Encode("a <my-cat>"));
        Assert.Contains("<My-Cat>", Assert.Throws<BrumaException>(() => tokenizer.With(["<My-Cat>"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vocabulary_and_merges_give_what_tokenizer_json_gives()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "vocab.json", "merges.txt", "tokenizer_config.json" })
            File.Copy(Path.Combine(BytePairs, name), folder[name]);
        var (apart, whole) = (Tokenizer.Load(folder.Root), Tokenizer.Load(BytePairs));
        foreach (var text in new[] { "Hello, World!", "  two\n\n lines  ", "naïve 猫 🐱 it's 3.14" })
        {
            Assert.Equal(whole.Encode(text), apart.Encode(text));
            Assert.Equal(text, apart.Decode(apart.Encode(text)));
        }
        Assert.Equal(64, apart.Options.MaxLength);
    }

    [Fact]
    public void Texts_of_different_lengths_need_a_padding_token()
    {
        var tokenizer = Tokenizer.Load(BytePairs);
        Assert.Contains("pad_token", Assert.Throws<BrumaException>(() => tokenizer.EncodeBatch(["a", "a b c"], new EncodingOptions(Padding: Padding.Longest))).Message, StringComparison.Ordinal);
        Assert.Contains("ask the tokenizer for padding", Assert.Throws<BrumaException>(() => TokenBatch.Of(tokenizer.EncodeBatch(["a", "a b c"], new EncodingOptions()))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"Morse\", \"vocab\": {}}}", "the model \"Morse\" is not implemented")]
    [InlineData("tokenizer.json", "{\"normalizer\": {\"type\": \"Rot13\"}, \"model\": {}}", "the normalizer \"Rot13\" is not implemented")]
    [InlineData("tokenizer.json", "{}", "tokenizer.json")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}", "names tokens that the vocabulary lacks")]
    [InlineData("spiece.model", "", "spiece.model is not read")]
    public void What_is_not_understood_is_named(string file, string content, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder[file], content);
        var message = Assert.Throws<BrumaException>(() => Tokenizer.Load(folder.Root)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("NFC", "e\u0301 a\u0307\u0323", "é ạ\u0307")] // marks are put in order
    [InlineData("NFD", "é ạ\u0307", "e\u0301 a\u0323\u0307")]
    [InlineData("NFC", "\u1100\u1161\u11A8", "각")]
    [InlineData("NFD", "각", "\u1100\u1161\u11A8")]
    [InlineData("NFC", "\u2126", "Ω")] // ohm sign
    [InlineData("NFC", "\u0958", "\u0915\u093C")] // is not composed again
    [InlineData("NFKC", "ﬁ ½ ™", "fi 1⁄2 TM")]
    [InlineData("NFKD", "ﬁé", "fie\u0301")]
    [InlineData("Lowercase", "İΣ", "i\u0307σ")]
    public void Unicode_is_normalised_without_ICU(string form, string text, string expected) =>
        Assert.Equal([1], Words($$"""{"type": "{{form}}"}""", "null", expected).Encode(text));

    [Fact]
    public void Patterns_see_letters_beyond_the_first_plane() => Assert.Equal(
        [1, 2, 3],
        Words("null", """{"type": "Split", "pattern": {"Regex": "\\s"}, "behavior": "Removed"}""", "a𝕔b", "🐱🐱", "𝟙").Encode("a𝕔b 🐱🐱 𝟙"));

    [Theory]
    [InlineData("""{"type": "Split", "pattern": {"Regex": "\\p{L}+"}, "behavior": "Isolated"}""", "𝕔a🐱", "𝕔a", "🐱")]
    [InlineData("""{"type": "Split", "pattern": {"String": "-"}, "behavior": "MergedWithNext"}""", "a-b--c", "a", "-b", "-", "-c")]
    [InlineData("""{"type": "Split", "pattern": {"String": "-"}, "behavior": "MergedWithPrevious"}""", "a-b--c", "a-", "b-", "-", "c")]
    [InlineData("""{"type": "Split", "pattern": {"String": "-"}, "behavior": "Contiguous"}""", "a-b--c", "a", "-", "b", "--", "c")]
    [InlineData("""{"type": "Split", "pattern": {"Regex": "\\w+"}, "behavior": "Removed", "invert": true}""", "a-b", "a", "b")]
    [InlineData("""{"type": "Digits", "individual_digits": true}""", "a12", "a", "1", "2")]
    public void Texts_are_cut_as_the_rule_says(string rule, string text, params string[] parts)
    {
        var tokenizer = Words("null", rule, [.. parts.Distinct()]);
        Assert.Equal(parts, tokenizer.Encode(text).Select(tokenizer.TokenOf));
    }

    [Fact]
    public void Compiled_replacements_are_applied()
    {
        // one entry: the bytes E2 91 A0 (①) become "1"
        var units = new uint[0x1000];
        static uint Unit(byte label, uint offset, bool leaf = false) => label | (leaf ? 1u << 8 : 0) | offset << 10;
        units[0] = Unit(0, 0x100);
        units[0x100 ^ 0xE2] = Unit(0xE2, 0x200);
        units[0x1E2 ^ 0x200 ^ 0x91] = Unit(0x91, 0x400);
        units[0x373 ^ 0x400 ^ 0xA0] = Unit(0xA0, 0x800, leaf: true);
        units[0x7D3 ^ 0x800] = 1u << 31 | 2;
        var table = new byte[4 + 4 * units.Length + 4];
        BinaryPrimitives.WriteInt32LittleEndian(table, 4 * units.Length);
        for (var i = 0; i < units.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(4 + 4 * i), units[i]);
        "x\01\0"u8.CopyTo(table.AsSpan(4 + 4 * units.Length));
        Assert.Equal([1], Words($$"""{"type": "Precompiled", "precompiled_charsmap": "{{Convert.ToBase64String(table)}}"}""", "null", "a1b②").Encode("a①b②"));
    }

    [Theory]
    [InlineData(5, 5, 7, 3, 4)]
    [InlineData(7, 3, 7, 4, 3)]
    [InlineData(9, 1, 7, 6, 1)]
    [InlineData(2, 2, 7, 2, 2)]
    public void The_longer_text_is_cut_first(int first, int second, int limit, int expectedFirst, int expectedSecond)
    {
        var tokenizer = Words("null", """{"type": "WhitespaceSplit"}""", "a", "b");
        var ids = tokenizer.Encode(string.Join(' ', Enumerable.Repeat("a", first)), string.Join(' ', Enumerable.Repeat("b", second)), new EncodingOptions(limit, Truncation.LongestFirst)).Ids;
        Assert.Equal((expectedFirst, expectedSecond), (ids.Count(id => id == 1), ids.Count(id => id == 2)));
    }

    /// <summary>A tokenizer of whole words: the unknown word is 0, then the words in their order.</summary>
    private static Tokenizer Words(string normalizer, string rule, params string[] words)
    {
        using var folder = new TemporaryFolder();
        var vocabulary = string.Join(", ", words.Prepend("<unk>").Select((word, id) => $"{JsonSerializer.Serialize(word)}: {id}"));
        File.WriteAllText(folder["tokenizer.json"], $$"""{"normalizer": {{normalizer}}, "pre_tokenizer": {{rule}}, "model": {"type": "WordLevel", "vocab": { {{vocabulary}} } } }""");
        return Tokenizer.Load(folder.Root);
    }
}
