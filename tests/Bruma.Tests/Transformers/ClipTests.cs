using Bruma.Tests.Support;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Tests.Transformers;

public sealed class ClipTests
{
    private static readonly ClipTextConfig Text = new(VocabSize: 40, HiddenSize: 16, IntermediateSize: 24, ProjectionDim: 12, NumHiddenLayers: 2, NumAttentionHeads: 2, MaxPositionEmbeddings: 9, EosTokenId: 39);
    private static readonly ClipVisionConfig Vision = new(HiddenSize: 16, IntermediateSize: 24, ProjectionDim: 12, NumHiddenLayers: 2, NumAttentionHeads: 2, ImageSize: 8, PatchSize: 4);

    [Fact]
    public void A_pass_keeps_nothing_alive()
    {
        using var text = new ClipTextModelWithProjection(Text);
        using var vision = new ClipVisionModelWithProjection(Vision);
        using var ids = tensor(new long[,] { { 1, 5, 39, 0 } });
        using var mask = tensor(new long[,] { { 1, 1, 1, 0 } });
        using var pixels = zeros(1, 3, 8, 8);
        Leaks.None(() =>
        {
            text.call(ids, mask);
            vision.call(pixels);
        });
    }

    [Fact]
    public void Padding_that_is_masked_changes_no_token()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var model = new ClipTextModel(Text);
        model.eval();
        var some = model.call(tensor(new long[,] { { 7, 3, 39 } }), null);
        var padded = model.call(tensor(new long[,] { { 0, 0, 7, 3, 39 } }), tensor(new long[,] { { 0, 0, 1, 1, 1 } }));
        Assert.False(padded.LastHiddenState.isnan().any().item<bool>());
        var other = model.call(tensor(new long[,] { { 9, 9, 7, 3, 39 } }), tensor(new long[,] { { 0, 0, 1, 1, 1 } }));
        Assert.True(padded.Pooled!.allclose(other.Pooled!));
        Assert.Equal([1, 3, 16], some.LastHiddenState.shape);
    }

    [Fact]
    public void The_legacy_end_token_pools_at_the_largest_id()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var model = new ClipTextModel(Text with { EosTokenId = 2 });
        model.eval();
        var output = model.call(tensor(new long[,] { { 1, 2, 33, 5 } }), null);
        Assert.True(output.Pooled![0].allclose(output.LastHiddenState[0, 2]));
        Assert.True(model.FinalNorm(output.HiddenStates[^1]).allclose(output.LastHiddenState));
    }

    [Fact]
    public void Too_long_a_text_is_refused_in_one_sentence()
    {
        using var model = new ClipTextModel(Text);
        using var ids = zeros(1, 10, dtype: int64);
        Assert.Contains("10 tokens but the network has 9 positions", Assert.Throws<BrumaException>(() => model.call(ids, null)).Message, StringComparison.Ordinal);
    }
}
