using Bruma.Tests.Support;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Tests.Transformers;

public sealed class LanguageModelTests
{
    private static readonly Gpt2Config Gpt2 = new(VocabSize: 20, NPositions: 12, NEmbd: 16, NLayer: 2, NHead: 2);
    private static readonly LlamaConfig Llama = new(VocabSize: 20, HiddenSize: 16, IntermediateSize: 24, NumHiddenLayers: 2, NumAttentionHeads: 4, NumKeyValueHeads: 2);
    private static readonly T5Config T5 = new(VocabSize: 20, DModel: 16, DKv: 4, DFf: 24, NumLayers: 2, NumHeads: 4);
    private static readonly TransformerPlan Plan = new(16, 2, 2, 2, 24);

    public static TheoryData<string> Kinds => [.. PositionScheme.Kinds];

    [Fact]
    public void Passes_and_generations_keep_nothing_alive()
    {
        using var gpt2 = new Gpt2LmHeadModel(Gpt2);
        using var llama = new LlamaForCausalLm(Llama);
        using var t5 = new T5ForConditionalGeneration(T5);
        using var small = new SequenceTransformer(new SequenceTransformerConfig(20, Plan, "relative"));
        foreach (var network in new nn.Module[] { gpt2, llama, t5, small })
            network.eval();
        using var ids = tensor(new long[,] { { 4, 5, 6 }, { 4, 7, 2 } });
        using var mask = tensor(new long[,] { { 0, 1, 1 }, { 1, 1, 1 } });
        Leaks.None(() =>
        {
            gpt2.call(ids, new TextPass(mask));
            llama.call(ids, new TextPass(mask, KeepWeights: true));
            t5.call(new SequencePair(ids, mask, ids));
            small.call(new SequencePair(ids, mask, ids, mask));
            using (var decoding = new TextDecoding(gpt2, mask))
                TokenGeneration.Run(decoding, [[4, 5, 6], [4, 7, 2]], new GenerationOptions(4, NumBeams: 3, NumReturnSequences: 2, EndIds: [1]));
            using (var decoding = new SequenceDecoding(small, ids, mask))
                TokenGeneration.Run(decoding, [[1], [1]], new GenerationOptions(4, DoSample: true, TopK: 5), new Generator(3, CPU));
        });
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_cache_changes_no_score(string positions)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var model = new DecoderTransformer(20, Plan, positions, 16);
        using var random = new Generator(1, CPU);
        model.Reset(random);
        model.eval();
        var ids = tensor(new long[,] { { 3, 9, 4, 11, 7, 2 } });
        using var cache = new KeyValueCache(model.Layers);
        var whole = model.call(ids, default);
        var parts = cat([model.call(ids[.., ..4], new TextPass(Cache: cache)), model.call(ids[.., 4..5], new TextPass(Cache: cache)), model.call(ids[.., 5..], new TextPass(Cache: cache))], 1);
        Assert.True(parts.allclose(whole, 1e-4, 1e-5));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Only_a_scheme_without_positions_cannot_tell_the_order_of_a_source(string positions)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var model = new SequenceTransformer(new SequenceTransformerConfig(20, Plan, positions, 16));
        using var random = new Generator(1, CPU);
        model.Reset(random);
        model.eval();
        var target = tensor(new long[,] { { 1 } });
        var forth = model.call(new SequencePair(tensor(new long[,] { { 3, 9, 4, 11 } }), null, target));
        var back = model.call(new SequencePair(tensor(new long[,] { { 11, 4, 9, 3 } }), null, target));
        Assert.Equal(positions == "none", forth.allclose(back, 1e-4, 1e-5));
    }

    [Fact]
    public void A_saved_network_gives_the_same_scores()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var model = new SequenceTransformer(new SequenceTransformerConfig(20, Plan with { NormFirst = true }, "learned", 16));
        using var random = new Generator(1, CPU);
        model.Reset(random);
        model.eval();
        model.Save(folder.Root);
        using var loaded = SequenceTransformer.Load(folder.Root);
        var pair = new SequencePair(tensor(new long[,] { { 3, 9 } }), null, tensor(new long[,] { { 1, 5 } }));
        Assert.True(model.call(pair).equal(loaded.call(pair)).all().item<bool>());
        Assert.Equal(model.Config, loaded.Config);
    }

    [Fact]
    public void Sampling_repeats_with_its_seed_and_left_padding_changes_no_text()
    {
        using var model = new Gpt2LmHeadModel(Gpt2);
        using var start = new Generator(1, CPU);
        model.Reset(start);
        model.eval();
        var options = new GenerationOptions(6, DoSample: true, Temperature: 2);
        Assert.Equal(Sample(5), Sample(5));
        Assert.NotEqual(Sample(5), Sample(6));

        using var mask = tensor(new long[,] { { 0, 0, 1, 1 } });
        using var padded = new TextDecoding(model, mask);
        using var plain = new TextDecoding(model);
        var greedy = new GenerationOptions(6);
        Assert.Equal(TokenGeneration.Run(plain, [[8, 3]], greedy)[0].Tokens, TokenGeneration.Run(padded, [[0, 0, 8, 3]], greedy)[0].Tokens.Skip(2));

        IReadOnlyList<long> Sample(ulong seed)
        {
            using var decoding = new TextDecoding(model);
            using var random = new Generator(seed, CPU);
            return TokenGeneration.Run(decoding, [[8, 3]], options, random)[0].Tokens;
        }
    }

    [Theory]
    [InlineData("temperature", 0.0)]
    [InlineData("top_p", 1.5)]
    [InlineData("num_beams", 0.0)]
    public void Options_out_of_range_are_named(string key, double value)
    {
        var options = key switch
        {
            "temperature" => new GenerationOptions(Temperature: value),
            "top_p" => new GenerationOptions(TopP: value),
            _ => new GenerationOptions(NumBeams: (int)value),
        };
        Assert.StartsWith(key, Assert.Throws<BrumaException>(options.Check).Message, StringComparison.Ordinal);
    }
}
