using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Tests.Hub;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"bruma-{Guid.NewGuid():N}.safetensors");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void What_is_written_is_read_back_with_type_shape_and_metadata()
    {
        using var scope = NewDisposeScope();
        var values = new Dictionary<string, Tensor>
        {
            ["a"] = arange(6, float32).view(2, 3).t(), // not contiguous
            ["half"] = tensor(new[] { 1.5f, -2f }).to(bfloat16),
            ["empty"] = zeros([0, 4], float32),
            ["scalar"] = tensor(7L),
        };
        SafetensorsFile.Write(_path, values, new Dictionary<string, string> { ["format"] = "pt" });

        using var file = new SafetensorsFile(_path);
        Assert.Equal("pt", file.Metadata["format"]);
        foreach (var (name, expected) in values)
        {
            Assert.Equal(expected.shape, file.Tensors[name].Shape);
            Assert.True(file.Read(name).eq(expected).all().item<bool>() || expected.numel() == 0);
        }
        Assert.Equal(float32, file.Read("half", float32).dtype);
    }

    [Fact]
    public void A_truncated_file_says_so_and_names_itself()
    {
        using (var value = ones(100))
            SafetensorsFile.Write(_path, [new("x", value)]);
        File.WriteAllBytes(_path, File.ReadAllBytes(_path)[..^10]);

        var error = Assert.Throws<BrumaException>(() => new SafetensorsFile(_path));
        Assert.Contains(_path, error.Message, StringComparison.Ordinal);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
    }
}
