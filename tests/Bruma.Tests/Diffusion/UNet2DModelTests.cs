using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.Nn;
using Bruma.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Diffusion;

public sealed class UNet2DModelTests
{
    private static readonly UNet2DConfig Tiny = new(
        8, 1, 1, BlockOutChannels: [8, 16], DownBlockTypes: ["DownBlock2D", "AttnDownBlock2D"], UpBlockTypes: ["AttnUpBlock2D", "UpBlock2D"], LayersPerBlock: 1, NormNumGroups: 4, NumClassEmbeds: 3);

    [Fact]
    public void A_forward_and_a_backward_pass_leave_only_the_output_and_the_gradients()
    {
        using var scope = NewDisposeScope();
        using var network = Initialized();
        var (x, t, labels) = (randn(2, 1, 8, 8), tensor(new[] { 1f, 500f }), tensor(new long[] { 0, 2 }));
        Backward();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 5; i++)
            Backward();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Backward()
        {
            using var y = network.forward(x, t, labels);
            using var loss = y.sum();
            loss.backward();
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Checkpointing_gives_the_same_bits_with_dropout_too(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (x, t, labels, dy) = (randn(2, 1, 8, 8), tensor(new[] { 1f, 500f }), tensor(new long[] { 0, 2 }), randn(2, 1, 8, 8).to(type));
        var runs = new[] { false, true }.Select(isCheckpointed =>
        {
            using var network = Initialized(Tiny with { Dropout = 0.2 });
            using var random = new Generator(9, CPU);
            network.to(type);
            network.IsCheckpointed = isCheckpointed;
            SeededDropout.SetGenerator(network, random);
            network.train();
            var y = network.forward(x, t, labels);
            y.backward([dy]);
            return network.parameters().Select(parameter => parameter.grad!.clone()).Prepend(y.detach()).ToList();
        }).ToList();
        Assert.All(runs[0].Zip(runs[1]), pair => Assert.True(pair.First.eq(pair.Second).all().item<bool>()));
    }

    [Fact]
    public void Drawing_leaves_only_the_pictures()
    {
        using var pipeline = new DiffusionPipeline(Initialized(), SchedulerConfig.Default("DDIMScheduler"), new ModelDefaults(Classes: ["a", "b"], GuidanceScale: 2));
        Draw();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Draw();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Draw()
        {
            using var pictures = pipeline.Generate(new DiffusionRequest(2, 1, Class: 1, Steps: 4));
            Assert.Equal([2, 1, 8, 8], pictures.shape);
        }
    }

    [Fact]
    public void A_picture_does_not_depend_on_its_neighbours()
    {
        using var scope = NewDisposeScope();
        using var pipeline = new DiffusionPipeline(Initialized(), SchedulerConfig.Default("DDPMScheduler"), new ModelDefaults());
        var three = pipeline.Generate(new DiffusionRequest(3, 7, Class: 1, Steps: 5));
        var third = pipeline.Generate(new DiffusionRequest(1, 9, Class: 1, Steps: 5));
        Assert.True(three[2].allclose(third[0], atol: 1e-5));
    }

    [Fact]
    public void On_the_meta_device_it_has_the_keys_of_a_checkpoint_and_no_memory()
    {
        var folder = Path.Combine(Repository.Goldens, "models", "unet2d-attn", "model");
        using var loaded = UNet2DModel.Load(folder);
        using var meta = new UNet2DModel(loaded.Config, new Device(TorchSharp.DeviceType.META));
        Assert.Equal(loaded.state_dict().Select(Describe).Order(), meta.state_dict().Select(Describe).Order());
        Assert.All(meta.parameters(), parameter => Assert.Equal(TorchSharp.DeviceType.META, parameter.device.type));

        static string Describe(KeyValuePair<string, Tensor> pair) => $"{pair.Key} {string.Join("x", pair.Value.shape)}";
    }

    [Fact]
    public void A_saved_model_loads_with_the_same_numbers()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var network = Initialized();
        network.Save(folder.Root);
        using var again = UNet2DModel.Load(folder.Root);
        var (x, t, labels) = (randn(1, 1, 8, 8), tensor(new[] { 3f }), tensor(new long[] { 2 }));
        network.eval();
        Assert.True(network.forward(x, t, labels).eq(again.forward(x, t, labels)).all().item<bool>());
        Assert.Equal(Tiny.BlockOutChannels, again.Config.BlockOutChannels);
    }

    private static UNet2DModel Initialized(UNet2DConfig? config = null)
    {
        var network = new UNet2DModel(config ?? Tiny);
        using var random = new Generator(4, CPU);
        network.Initialize(random, zeroOutputs: false);
        return network;
    }
}
