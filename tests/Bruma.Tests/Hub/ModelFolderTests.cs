using Bruma.Hub;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Hub;

public sealed class ModelFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")]
    [InlineData("model.safetensors", "pytorch_model.bin")]
    [InlineData("model.safetensors", "model.fp16.safetensors")]
    [InlineData("model.safetensors.index.json", "pytorch_model.bin")]
    [InlineData("model.fp16.safetensors", "model.non_ema.safetensors")]
    public void The_first_name_is_preferred_to_the_second(string preferred, string other)
    {
        File.WriteAllText(_folder[other], "");
        File.WriteAllText(_folder[preferred], "");
        Assert.Equal(_folder[preferred], ModelFolder.FindWeights(_folder.Root));
    }

    [Theory]
    [InlineData("diffusion_pytorch_model.fp16.safetensors")]
    [InlineData("model.safetensors.index.fp16.json")]
    [InlineData("diffusion_pytorch_model.safetensors.fp16.index.json")]
    [InlineData("pytorch_model.fp16.bin")]
    public void A_variant_is_found_where_each_library_puts_it_and_without_asking_when_alone(string name)
    {
        File.WriteAllText(_folder[name], "");
        Assert.Equal(_folder[name], ModelFolder.FindWeights(_folder.Root, "fp16"));
        Assert.Equal(_folder[name], ModelFolder.FindWeights(_folder.Root));
    }

    [Fact]
    public void A_variant_that_is_not_there_is_an_error_that_says_what_is()
    {
        File.WriteAllText(_folder["model.safetensors"], "");
        var error = Assert.Throws<BrumaException>(() => ModelFolder.FindWeights(_folder.Root, "fp16"));
        Assert.Contains("there is model.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_files_are_one_checkpoint()
    {
        WriteShards("""{"weight_map":{"a":"s-1.safetensors","b":"s-2.safetensors"}}""");
        using var source = ModelFolder.Open(_folder.Root);
        using var b = source.Read("b");
        Assert.Equal(["a", "b"], source.Tensors.Keys);
        Assert.Equal(2, b.item<float>());
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../s-1.safetensors"}}""", "outside")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "outside")]
    [InlineData("""{"weight_map":{"a":"s-3.safetensors"}}""", "s-3.safetensors")]
    [InlineData("""{"weight_map":{"c":"s-1.safetensors"}}""", "\"c\"")]
    [InlineData("""{"weight_map":{"a":7}}""", "7")]
    [InlineData("""{"weight_map":{"\ud800":"s-1.safetensors"}}""", "not readable")]
    [InlineData("""{"weight_map":{"a":"model.safetensors.index.json"}}""", "no file of weights")]
    [InlineData("""{"metadata":{}}""", "weight_map")]
    [InlineData("""{"weight_map":""", "JSON")]
    public void A_wrong_index_is_one_sentence_that_says_why(string index, string why)
    {
        WriteShards(index);
        var error = Assert.Throws<BrumaException>(() => ModelFolder.Open(_folder.Root));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.Contains("model.safetensors.index.json", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n", "Git LFS pointer")]
    [InlineData("\n <!DOCTYPE html><html></html>", "web page")]
    [InlineData("GGUF\u0003", "GGUF")]
    [InlineData("just some text", "neither")]
    [InlineData("", "empty")]
    public void Content_that_is_no_checkpoint_is_named(string content, string what)
    {
        File.WriteAllText(_folder["w.bin"], content);
        Assert.Contains(what, Assert.Throws<BrumaException>(() => CheckpointFile.Open(_folder["w.bin"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Content_decides_and_not_the_extension()
    {
        using (var one = ones(1))
            SafetensorsFile.Write(_folder["w.ckpt"], [new("x", one)]);
        using var source = CheckpointFile.Open(_folder["w.ckpt"]);
        Assert.Equal(["x"], source.Tensors.Keys);
    }

    private void WriteShards(string index)
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(_folder["s-1.safetensors"], [new("a", tensor(1f))]);
        SafetensorsFile.Write(_folder["s-2.safetensors"], [new("b", tensor(2f))]);
        File.WriteAllText(_folder["model.safetensors.index.json"], index);
    }
}
