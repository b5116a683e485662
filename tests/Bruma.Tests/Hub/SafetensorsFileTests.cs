using System.Buffers.Binary;
using System.Text;
using Bruma.Hub;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Hub;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => _folder["x.safetensors"];

    public void Dispose() => _folder.Dispose();

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
        SafetensorsFile.Write(Target, values, new Dictionary<string, string> { ["format"] = "pt", ["ñ"] = "猫\"\\" });

        using var file = new SafetensorsFile(Target);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal("猫\"\\", file.Metadata["ñ"]);
        foreach (var (name, expected) in values)
        {
            Assert.Equal(expected.shape, file.Tensors[name].Shape);
            Assert.True(file.Read(name).eq(expected).all().item<bool>());
        }
        Assert.Equal(float32, file.Read("half", float32).dtype);
    }

    public static TheoryData<ScalarType> Types => [float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, ScalarType.Bool];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_type_survives_the_round_trip(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var values = tensor(new[] { 0f, 1f, 3f, 100f, 127f }).to(type);
        SafetensorsFile.Write(Target, [new("x", values)]);
        using var file = new SafetensorsFile(Target);
        Assert.Equal(type, file.Read("x").dtype);
        Assert.Equal(values.to(float64).data<double>().ToArray(), file.Read("x", float64).data<double>().ToArray());
    }

    [Fact]
    public void Floating_values_can_be_stored_in_another_type_and_the_rest_stays()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(Target, [new("w", tensor(new[] { 0.1f })), new("steps", tensor(3L))], floats: float16);
        using var file = new SafetensorsFile(Target);
        Assert.Equal(("F16", "I64"), (file.Tensors["w"].DType, file.Tensors["steps"].DType));
        Assert.Equal((float)(Half)0.1f, file.Read("w", float32).item<float>());
    }

    // values: arXiv:2209.05433, table 1
    [Theory]
    [InlineData("F8_E4M3", 0x7E, 448)]
    [InlineData("F8_E4M3", 0x01, 0.001953125)]
    [InlineData("F8_E4M3", 0xB8, -1)]
    [InlineData("F8_E4M3", 0x08, 0.015625)]
    [InlineData("F8_E4M3", 0xFF, double.NaN)]
    [InlineData("F8_E5M2", 0x7B, 57344)]
    [InlineData("F8_E5M2", 0x7C, double.PositiveInfinity)]
    [InlineData("F8_E5M2", 0x01, 1.0 / 65536)]
    [InlineData("F8_E5M2", 0xBC, -1)]
    public void Eight_bit_floats_have_their_published_values(string type, byte bits, double expected)
    {
        WriteRaw(type, [bits]);
        using var file = new SafetensorsFile(Target);
        using var value = file.Read("x", float64);
        Assert.Equal(expected, value.item<double>());
    }

    [Theory]
    [InlineData("U16", 65535, 2)]
    [InlineData("U32", 4294967295, 4)]
    [InlineData("U64", long.MaxValue, 8)]
    public void Unsigned_values_are_read_into_a_wider_type(string type, long largest, int size)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, largest);
        WriteRaw(type, bytes[..size]);
        using var file = new SafetensorsFile(Target);
        using var value = file.Read("x");
        Assert.Equal(largest, value.to(int64).item<long>());
    }

    [Fact]
    public void An_unsigned_value_that_no_type_can_hold_is_an_error()
    {
        WriteRaw("U64", [.. Enumerable.Repeat((byte)255, 8)]);
        using var file = new SafetensorsFile(Target);
        Assert.Contains("2^63", Assert.Throws<BrumaException>(() => file.Read("x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_file_says_so_and_names_itself()
    {
        using (var value = ones(100))
            SafetensorsFile.Write(Target, [new("x", value)]);
        File.WriteAllBytes(Target, File.ReadAllBytes(Target)[..^10]);

        var error = Assert.Throws<BrumaException>(() => new SafetensorsFile(Target));
        Assert.Contains(Target, error.Message, StringComparison.Ordinal);
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_gives_tensors_or_one_sentence()
    {
        using (var scope = NewDisposeScope())
            SafetensorsFile.Write(Target, [new("a", ones(3, 5)), new("b", tensor(new[] { true, false })), new("c", zeros([0, 4]))], new Dictionary<string, string> { ["format"] = "pt" });
        HostileFiles.AssertTensorsOrSentence(File.ReadAllBytes(Target), _folder["damaged.safetensors"]);
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_file_and_nothing_else()
    {
        AtomicFile.WriteText(Target, "old");
        Assert.Throws<BrumaException>(() => AtomicFile.Write(Target, stream =>
        {
            stream.Write("half of the ne"u8);
            throw new IOException("No space left on device");
        }));
        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Single(Directory.GetFiles(_folder.Root));
    }

    private void WriteRaw(string type, byte[] values)
    {
        var header = Encoding.UTF8.GetBytes($$$"""{"x":{"dtype":"{{{type}}}","shape":[1],"data_offsets":[0,{{{values.Length}}}]}}""");
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        File.WriteAllBytes(Target, [.. length, .. header, .. values]);
    }
}
