using Bruma.Hub;
using Bruma.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Tests.Hub;

public sealed class ModuleWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder["model.safetensors"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_saved_is_loaded_into_the_type_of_the_module()
    {
        using var scope = NewDisposeScope();
        using var saved = new Net();
        using var loaded = new Net();
        loaded.to(bfloat16);
        ModuleWeights.Save(saved, Target, float16);

        using var source = CheckpointFile.Open(Target);
        ModuleWeights.Load(loaded, source);
        Assert.Equal("F16", source.Tensors["proj.weight"].DType);
        Assert.Equal(bfloat16, loaded.proj.weight!.dtype);
        Assert.True(loaded.proj.weight.eq(saved.proj.weight!.to(float16).to(bfloat16)).all().item<bool>());
        Assert.True(loaded.proj.weight.requires_grad);
    }

    [Fact]
    public void Missing_weights_are_named_whatever_their_names_begin_with()
    {
        using var scope = NewDisposeScope();
        using var net = new Underscored();
        SafetensorsFile.Write(Target, [new("_first.weight", zeros(2, 2))]);
        using var source = CheckpointFile.Open(Target);
        Assert.EndsWith("does not fit Underscored: 1 missing (_second.weight).", Assert.Throws<BrumaException>(() => ModuleWeights.Load(net, source)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_report_lists_all_that_does_not_fit_and_the_module_stays_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var net = new Net();
        var before = net.proj.weight!.detach().clone();
        SafetensorsFile.Write(Target, [new("proj.weight", zeros(3, 4)), new("norm.bias", zeros(5)), new("extra", zeros(1)), new("embeddings.position_ids", zeros(1))]);

        using var source = CheckpointFile.Open(Target);
        var error = Assert.Throws<BrumaException>(() => ModuleWeights.Load(net, source));
        Assert.Equal($"{Target}: does not fit Net: 2 missing (norm.weight, proj.bias); 1 unexpected (extra); 1 misshapen (norm.bias is [5] but [3] was expected).", error.Message);
        Assert.True(net.proj.weight.eq(before).all().item<bool>());
    }

    [Fact]
    public void Names_can_be_mapped_ignored_and_tied()
    {
        using var scope = NewDisposeScope();
        using var net = new Net();
        SafetensorsFile.Write(Target, [new("old.weight", ones(3, 4)), new("norm.weight", full([3], 2f)), new("proj.bias", full([3], 3f)), new("decay", zeros(1))]);

        using var source = CheckpointFile.Open(Target);
        ModuleWeights.Load(net, source, new WeightOptions(
            Rename: name => name.Replace("old.", "proj.", StringComparison.Ordinal),
            Ignore: name => name == "decay",
            Tied: new Dictionary<string, string> { ["norm.bias"] = "proj.bias" }));
        Assert.Equal(1, net.proj.weight!.mean().item<float>());
        Assert.Equal(3, net.norm.bias!.mean().item<float>());
    }

    [Theory]
    [InlineData("mid.attentions.0.query.weight", "mid.attentions.0.to_q.weight")]
    [InlineData("mid.attentions.0.proj_attn.bias", "mid.attentions.0.to_out.0.bias")]
    [InlineData("conv.weight", "conv.weight")]
    public void The_first_names_of_attention_layers_are_known(string old, string name) => Assert.Equal(name, WeightOptions.FirstAttentionNames.Rename!(old));

    [Fact]
    public void Loading_leaves_no_tensor_behind()
    {
        using var net = new Net();
        ModuleWeights.Save(net, Target);
        using var source = CheckpointFile.Open(Target);
        ModuleWeights.Load(net, source); // the first call may fill caches
        var statistics = DisposeScopeManager.Statistics;
        var before = statistics.CreatedOutsideScopeCount - statistics.DisposedOutsideScopeCount + statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 10; i++)
            ModuleWeights.Load(net, source);
        Assert.Equal(before, statistics.CreatedOutsideScopeCount - statistics.DisposedOutsideScopeCount + statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void A_checksum_is_that_of_the_bytes()
    {
        File.WriteAllText(_folder["abc"], "abc");
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", FileHash.Sha256(_folder["abc"])); // FIPS 180-2, B.1
        Assert.Throws<BrumaException>(() => FileHash.Sha256(_folder["none"]));
    }

    private sealed class Underscored : Module
    {
        private readonly Linear _first = Linear(2, 2, hasBias: false);
        private readonly Linear _second = Linear(2, 2, hasBias: false);

        public Underscored()
            : base(nameof(Underscored)) => RegisterComponents();
    }

    private sealed class Net : Module<Tensor, Tensor>
    {
        public readonly Linear proj = Linear(4, 3);
        public readonly LayerNorm norm = LayerNorm(3);

        public Net()
            : base(nameof(Net)) => RegisterComponents();

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return norm.call(proj.call(x)).MoveToOuterDisposeScope();
        }
    }
}
