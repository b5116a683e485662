using Bruma.Nn;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.StableDiffusion;

public sealed class UNet2DConditionModelTests
{
    private static readonly UNet2DConditionConfig Tiny = new(
        8, 4, 4, BlockOutChannels: [8, 16], DownBlockTypes: ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes: ["UpBlock2D", "CrossAttnUpBlock2D"],
        LayersPerBlock: new(1), NormNumGroups: 4, CrossAttentionDim: new(6), AttentionHeadDim: [2, 4]);

    public static TheoryData<ScalarType> Types => [ScalarType.Float32, ScalarType.BFloat16];

    [Theory]
    [MemberData(nameof(Types))]
    public void Checkpointing_gives_the_same_bits_with_dropout_too(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (x, t, dy) = (randn(2, 4, 8, 8), tensor(new[] { 1f, 500f }), randn(2, 4, 8, 8).to(type));
        var text = randn(2, 5, 6).to(type);
        var runs = new[] { false, true }.Select(isCheckpointed =>
        {
            using var network = Initialized(Tiny with { Dropout = 0.2 });
            using var random = new Generator(9, CPU);
            network.to(type);
            network.IsCheckpointed = isCheckpointed;
            SeededDropout.SetGenerator(network, random);
            network.train();
            var context = text.detach().requires_grad_(true);
            var y = network.forward(x, t, new UNetConditioning(context));
            y.backward([dy]);
            return network.parameters().Select(parameter => parameter.grad!.clone()).Prepend(y.detach()).Append(context.grad!).ToList();
        }).ToList();
        Assert.All(runs[0].Zip(runs[1]), pair => Assert.True(pair.First.eq(pair.Second).all().item<bool>()));
    }

    [Fact]
    public void A_forward_and_a_backward_pass_leave_only_the_output_and_the_gradients()
    {
        using var scope = NewDisposeScope();
        using var network = Initialized();
        var (x, t, context) = (randn(1, 4, 8, 8), tensor(new[] { 7f }), new UNetConditioning(randn(1, 5, 6)));
        Backward();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 3; i++)
            Backward();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Backward()
        {
            using var y = network.forward(x, t, context);
            using var loss = y.sum();
            loss.backward();
        }
    }

    [Fact]
    public void A_saved_model_loads_with_the_same_numbers_and_the_same_config()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var network = Initialized(Tiny with { TransformerLayersPerBlock = [[1], [2]], OnlyCrossAttention = [true, false], NumClassEmbeds = 3 });
        network.Save(folder.Root);
        using var again = UNet2DConditionModel.Load(folder.Root);
        var (x, t, context) = (randn(1, 4, 6, 8), tensor(new[] { 3f }), new UNetConditioning(randn(1, 5, 6), ClassLabels: tensor(new long[] { 2 })));
        network.eval();
        Assert.True(network.forward(x, t, context).eq(again.forward(x, t, context)).all().item<bool>());
        Assert.Equal([2, 4], again.Config.AttentionHeadDim);
        Assert.Equal([true, false], again.Config.OnlyCrossAttention);
        Assert.False(again.Config.LayersPerBlock.IsList);
    }

    [Theory]
    [InlineData("runwayml/sd15", 859520964, 686)]
    [InlineData("stabilityai/sdxl", 2567463684, 1680)]
    public void Published_configs_give_the_published_numbers_of_parameters(string name, long parameters, int tensors)
    {
        var config = name.EndsWith("sd15", StringComparison.Ordinal)
            ? new UNet2DConditionConfig(64, CrossAttentionDim: new(768))
            : new UNet2DConditionConfig(
                128, DownBlockTypes: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], UpBlockTypes: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
                BlockOutChannels: [320, 640, 1280], CrossAttentionDim: new(2048), TransformerLayersPerBlock: [[1], [2], [10]], AttentionHeadDim: [5, 10, 20], UseLinearProjection: true,
                AdditionEmbedType: "text_time", AdditionTimeEmbedDim: 256, ProjectionClassEmbeddingsInputDim: 2816);
        using var network = new UNet2DConditionModel(config, new Device(TorchSharp.DeviceType.META));
        Assert.Equal((parameters, tensors), (network.parameters().Sum(parameter => parameter.numel()), network.state_dict().Count));
    }

    [Fact]
    public void Residuals_are_added_to_the_skip_connections_and_the_middle()
    {
        using var scope = NewDisposeScope();
        using var network = Initialized();
        network.eval();
        var (x, t, text) = (randn(1, 4, 8, 8), tensor(new[] { 3f }), randn(1, 5, 6));
        Tensor[] none = [.. new[] { (8, 8), (8, 8), (8, 4), (16, 4) }.Select(shape => zeros(1, shape.Item1, shape.Item2, shape.Item2))];
        var plain = network.forward(x, t, new UNetConditioning(text));
        Assert.True(plain.eq(network.forward(x, t, new UNetConditioning(text, DownResiduals: none, MidResidual: zeros(1, 16, 4, 4)))).all().item<bool>());
        for (var i = 0; i < none.Length; i++)
        {
            var some = none.ToArray();
            some[i] = ones_like(some[i]);
            Assert.False(plain.allclose(network.forward(x, t, new UNetConditioning(text, DownResiduals: some))));
        }
        Assert.Throws<BrumaException>(() => network.forward(x, t, new UNetConditioning(text, DownResiduals: none[1..])));
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        using var scope = NewDisposeScope();
        using var network = Initialized();
        var t = tensor(new[] { 3f });
        Assert.Contains("width 6", Assert.Throws<BrumaException>(() => network.forward(randn(1, 4, 8, 8), t, new UNetConditioning(randn(1, 5, 7)))).Message, StringComparison.Ordinal);
        Assert.Contains("[1, 9, 8, 8]", Assert.Throws<BrumaException>(() => network.forward(randn(1, 9, 8, 8), t, new UNetConditioning(randn(1, 5, 6)))).Message, StringComparison.Ordinal);
        Assert.Contains("time_cond_proj_dim", Assert.Throws<BrumaException>(() => network.forward(randn(1, 4, 8, 8), t, new UNetConditioning(randn(1, 5, 6), TimestepCond: randn(1, 32)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attention_shows_its_weights()
    {
        using var scope = NewDisposeScope();
        using var network = Initialized();
        var seen = new List<long[]>();
        foreach (var (name, attention) in network.named_modules().Where(named => named.name.EndsWith("attn2", StringComparison.Ordinal)).Select(named => (named.name, (Attention)named.module)))
            attention.Watched = weights =>
            {
                seen.Add(weights.shape);
                Assert.True(weights.sum(-1).allclose(ones(weights.shape[..3]), atol: 1e-5));
            };
        network.forward(randn(1, 4, 8, 8), tensor(new[] { 3f }), new UNetConditioning(randn(1, 5, 6)));
        Assert.Equal([[1, 2, 64, 5], [1, 4, 16, 5], [1, 2, 64, 5], [1, 2, 64, 5]], seen);
    }

    internal static UNet2DConditionModel Initialized(UNet2DConditionConfig? config = null)
    {
        var network = new UNet2DConditionModel(config ?? Tiny);
        using var random = new Generator(4, CPU);
        network.Initialize(random, zeroOutputs: false);
        return network;
    }
}
