using Bruma.Adapters;
using Bruma.Hub;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Adapters;

public sealed class LoraTests
{
    private static readonly string[] All = ["conv1", "to_q", "to_out.0"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Merged_weights_compute_what_the_attached_updates_compute_and_their_removal_restores_the_bits(bool useDora)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = new ToyNetwork();
        var before = network.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var x = randn(2, 3, 4, 4);
        var plain = network.call(x);
        using var random = new Generator(1, CPU);
        using var lora = new LoraNetwork([new LoraTargets("unet", network, All)], new LoraOptions(3, 6, UseDora: useDora), random);
        Assert.True(plain.allclose(network.call(x), 1e-5, 1e-6)); // the upper factor begins at zero

        foreach (var parameter in lora.parameters())
            parameter.add_(0.3f * randn(parameter.shape));
        var attached = network.call(x);
        Assert.False(plain.allclose(attached, 1e-3, 1e-3));
        lora.IsActive = false;
        Assert.True(plain.allclose(network.call(x), 1e-5, 1e-6));

        using var merge = new LoraMerge(new Dictionary<string, nn.Module> { ["unet"] = network });
        merge.Apply([(lora.Updates(), 1)]);
        Assert.True(attached.allclose(network.call(x), 1e-4, 1e-5));
        merge.Apply([(lora.Updates(), 0.5), (lora.Updates(), -2)]);
        merge.Remove();
        Assert.All(network.state_dict(), pair => Assert.True(pair.Value.eq(before[pair.Key]).all().item<bool>()));
    }

    [Theory]
    [InlineData("diffusers", false)]
    [InlineData("diffusers", true)]
    [InlineData("kohya", false)]
    [InlineData("kohya", true)]
    [InlineData("peft", false)]
    [InlineData("peft", true)]
    public void What_is_written_is_read_back(string layout, bool useDora)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var folder = new TemporaryFolder();
        using var network = new ToyNetwork();
        using var random = new Generator(1, CPU);
        using var lora = new LoraNetwork([new LoraTargets("unet", network, All)], new LoraOptions(3, 4.5, UseDora: useDora), random);
        foreach (var parameter in lora.parameters())
            parameter.add_(randn(parameter.shape));
        var path = layout == "peft" ? folder.Root : folder["lora.safetensors"];
        if (layout == "peft")
            LoraWriter.WritePeft(path, lora.Updates());
        else if (layout == "kohya")
            LoraWriter.WriteKohya(path, lora.Updates(), new Dictionary<string, string> { ["ss_network_dim"] = "3" });
        else
            LoraWriter.WriteDiffusers(path, lora.Updates());

        using var file = LoraFile.Load(path, new Dictionary<string, nn.Module> { ["unet"] = network });
        Assert.Equal(All.Length, file.Updates.Count);
        foreach (var (written, read) in lora.Updates().OrderBy(update => update.Layer).Zip(file.Updates.OrderBy(update => update.Layer)))
        {
            var weight = network.get_parameter($"{written.Layer}.weight")!;
            Assert.Equal(written.Layer, read.Layer);
            Assert.True(written.Delta(weight, 0.7).allclose(read.Delta(weight, 0.7), 1e-5, 1e-6));
        }
    }

    [Fact]
    public void Patterns_of_PEFT_set_alpha_by_the_end_of_the_name()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var network = new ToyNetwork();
        var keys = new[] { "to_q", "to_out.0" };
        SafetensorsFile.Write(folder["adapter_model.safetensors"], keys.SelectMany(key => new KeyValuePair<string, Tensor>[]
        {
            new($"base_model.model.{key}.lora_A.default.weight", ones(4, key == "to_q" ? 6 : 8)), new($"base_model.model.{key}.lora_B.default.weight", ones(key == "to_q" ? 8 : 5, 4)),
        }));
        File.WriteAllText(folder["adapter_config.json"], """{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "use_rslora": true, "alpha_pattern": {"to_out.0": 2}}""");
        using var file = LoraFile.Load(folder.Root, new Dictionary<string, nn.Module> { ["text"] = network });
        Assert.Equal([1.0, 4.0], file.Updates.OrderBy(update => update.Layer, StringComparer.Ordinal).Select(update => update.Scale));
    }

    [Theory]
    [InlineData("unet.somewhere.else.lora_A.weight", "are not in this model")]
    [InlineData("lora_unet_to_q.hada_w1_a", "LoHa")]
    [InlineData("model.diffusion_model.out.weight", "no part of a LoRA")]
    [InlineData("unet.to_q.lora_A.weight", "only a part of to_q")]
    public void A_file_that_does_not_fit_is_refused_by_name(string key, string reason)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var network = new ToyNetwork();
        SafetensorsFile.Write(folder["x.safetensors"], [new(key, ones(2, 6))]);
        var error = Assert.Throws<BrumaException>(() => LoraFile.Load(folder["x.safetensors"], new Dictionary<string, nn.Module> { ["unet"] = network }));
        Assert.Contains(reason, error.Message);
        Assert.Contains("x.safetensors", error.Message);
    }

    [Fact]
    public void A_rank_above_the_width_and_a_target_that_is_missing_are_refused()
    {
        using var network = new ToyNetwork();
        using var random = new Generator(1, CPU);
        Assert.Contains("6 wide", Assert.Throws<BrumaException>(() => new LoraNetwork([new LoraTargets("unet", network, ["to_q"])], new LoraOptions(7), random)).Message);
        Assert.Contains("to_q", Assert.Throws<BrumaException>(() => new LoraNetwork([new LoraTargets("unet", network, ["to_z"])], new LoraOptions(2), random)).Message);
    }

    [Fact]
    public void Updates_leave_nothing_behind()
    {
        using var network = new ToyNetwork();
        using var random = new Generator(1, CPU);
        using var lora = new LoraNetwork([new LoraTargets("unet", network, All)], new LoraOptions(2, UseDora: true, Dropout: 0.1), random);
        using var merge = new LoraMerge(new Dictionary<string, nn.Module> { ["unet"] = network });
        lora.eval();
        using var x = randn(1, 3, 4, 4);
        Leaks.None(() =>
        {
            merge.Apply([(lora.Updates(), 0.3)]);
            network.call(x);
            merge.Remove();
        });
    }
}
