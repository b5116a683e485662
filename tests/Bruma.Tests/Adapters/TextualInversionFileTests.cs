using Bruma.Adapters;
using Bruma.Hub;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Adapters;

public sealed class TextualInversionFileTests
{
    private static string Golden(string name) => Path.Combine(Repository.Goldens, "formats", "embeddings", name);

    [Theory]
    [InlineData("a1111.pt", "<cat-toy>", 3)]
    [InlineData("emb_params.safetensors", "<style-x>", 2)]
    [InlineData("one.safetensors", null, 1)]
    [InlineData("two.bin", null, 2)]
    public void Every_layout_is_read(string name, string? token, int vectors)
    {
        using var file = TextualInversionFile.Load(Golden(name), token);
        Assert.Equal(vectors, file.Vectors.shape[0]);
        Assert.Equal(vectors, file.Tokens.Count);
        Assert.StartsWith("<", file.Token);
    }

    [Fact]
    public void Both_layouts_are_written_and_a_run_is_found_by_its_folder()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var vectors = randn(2, 8);
        TextualInversionFile.WriteDiffusers(folder["model/learned_embeds.safetensors"], "<cat>", vectors);
        TextualInversionFile.WriteA1111(folder["cat-toy.safetensors"], vectors);
        using var run = TextualInversionFile.Load(folder.Root);
        using var a1111 = TextualInversionFile.Load(folder["cat-toy.safetensors"]);
        Assert.Equal(["<cat>", "<cat>_1"], run.Tokens);
        Assert.Equal("cat-toy", a1111.Token);
        Assert.True(run.Vectors.eq(vectors).all().item<bool>());
        Assert.True(a1111.Vectors.eq(vectors).all().item<bool>());
    }

    [Fact]
    public void A_model_is_no_textual_inversion()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        SafetensorsFile.Write(folder["m.safetensors"], [new("a", ones(2, 2)), new("b", ones(2))]);
        Assert.Contains("2 tensors", Assert.Throws<BrumaException>(() => TextualInversionFile.Load(folder["m.safetensors"])).Message);
    }
}
