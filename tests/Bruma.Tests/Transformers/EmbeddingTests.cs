using System.Text;
using Bruma.Hub;
using Bruma.Tests.Recipes;
using Bruma.Tests.Support;
using Bruma.Transformers.Embeddings;
using Bruma.Verification;
using Microsoft.Extensions.AI;

namespace Bruma.Tests.Transformers;

public sealed class EmbeddingTests
{
    private static string MiniLm => SharedFolder.Find(Repository.Goldens, "models") is { } models ? Path.Combine(models, "all-MiniLM-L6-v2") : "";

    [Fact]
    public void Nearest_and_analogies_follow_the_cosine()
    {
        var words = new WordVectors(["king", "queen", "man", "woman"], [[3, 1, 0], [3, 0, 1], [0, 1, 0], [0, 0, 1]]);
        Assert.Equal("queen", words.Nearest("king", 1)[0].Text);
        Assert.Equal("queen", words.Analogy("man", "king", "woman", 1)[0].Text);
        Assert.Contains("\"prince\"", Assert.Throws<BrumaException>(() => words.Nearest("prince", 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Npy_files_have_numpys_header()
    {
        using var folder = new TemporaryFolder();
        NpyFile.Write(folder["v.npy"], [[1f, 2f], [3f, 4f], [5f, 6f]]);
        var bytes = File.ReadAllBytes(folder["v.npy"]);
        Assert.Equal([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0], bytes[..8]);
        Assert.Equal(0, (10 + BitConverter.ToUInt16(bytes, 8)) % 64);
        Assert.Contains("'shape': (3, 2)", Encoding.ASCII.GetString(bytes, 10, BitConverter.ToUInt16(bytes, 8)), StringComparison.Ordinal);
        Assert.Equal(6f, BitConverter.ToSingle(bytes, bytes.Length - 4));
    }

    [Fact]
    public void Batches_hold_every_text_once_and_stay_within_bounds()
    {
        int[] lengths = [.. Enumerable.Range(0, 500).Select(i => i * 37 % 256 + 1)];
        var batches = SentenceEmbedder.Batches(lengths).ToList();
        Assert.Equal(Enumerable.Range(0, 500), batches.SelectMany(batch => batch).Order());
        Assert.All(batches, batch => Assert.True(batch.Length * batch.Max(index => lengths[index]) <= 4096));
    }

    [Fact]
    public async Task Sentences_come_in_order_whatever_their_batch_and_leave_nothing_behind()
    {
        Assert.SkipUnless(Directory.Exists(MiniLm), "needs all-MiniLM-L6-v2; set BRUMA_SHARED");
        var embedder = SentenceEmbedder.Load(MiniLm);
        string[] texts = ["a cat", "", "the stock market fell sharply on Monday", "a kitten"];
        Leaks.None(() => embedder.Embed(texts));

        using var generator = new EmbeddingGenerator(embedder);
        var together = await generator.GenerateAsync(texts, cancellationToken: TestContext.Current.CancellationToken);
        var alone = await generator.GenerateAsync([texts[2]], new EmbeddingGenerationOptions { Dimensions = 384 }, TestContext.Current.CancellationToken);
        Assert.Equal(4, together.Count);
        Assert.All(together[2].Vector.ToArray().Zip(alone[0].Vector.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Equal(384, ((EmbeddingGeneratorMetadata)generator.GetService(typeof(EmbeddingGeneratorMetadata))!).DefaultModelDimensions);
    }

    [Fact]
    public void Files_of_another_model_are_named()
    {
        using var folder = new TemporaryFolder();
        var model = TinyBert.Write(folder);
        string Message() => Assert.Throws<BrumaException>(() => SentenceEmbedder.Load(model)).Message;

        var words = File.ReadAllLines(Path.Combine(model, "vocab.txt"));
        File.WriteAllLines(Path.Combine(model, "vocab.txt"), [.. words, "more"]);
        Assert.Contains("the tokenizer has ids up to 26 but the network knows 26 tokens", Message(), StringComparison.Ordinal);
        File.WriteAllLines(Path.Combine(model, "vocab.txt"), words[..12]);
        Assert.Contains("the tokenizer has 12 tokens but the network knows 26", Message(), StringComparison.Ordinal);

        var config = Path.Combine(model, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"num_hidden_layers\":2", "\"num_hidden_layers\":3", StringComparison.Ordinal));
        Assert.Contains("16 missing (encoder.layer.2.attention.output.LayerNorm.bias, ", Message(), StringComparison.Ordinal); // as checkpoints name them, each once
    }

    [Fact]
    public void A_word_is_found_whole()
    {
        Assert.SkipUnless(Directory.Exists(MiniLm), "needs all-MiniLM-L6-v2; set BRUMA_SHARED");
        using var embedder = SentenceEmbedder.Load(MiniLm);
        var contexts = new WordContexts(embedder);
        Assert.Equal(new WordPlace(5, 1), contexts.Find("bank", "The banks, a bank."));
        Assert.Contains("river", Assert.Throws<BrumaException>(() => contexts.Find("river", "The bank.")).Message, StringComparison.Ordinal);
    }
}
