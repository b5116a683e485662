using System.Text.Json.Serialization;
using Bruma.Hub;
using Bruma.Tests.Support;

namespace Bruma.Tests.Hub;

public sealed record SampleConfig(int Layers, string ActFn = "silu", double ClipSampleRange = 1, int[]? BlockOutChannels = null) : ICheckedConfig
{
    public void Check(ConfigCheck check) => check.OneOf("act_fn", ActFn, "silu", "swish");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(SampleConfig))]
public sealed partial class SampleContext : JsonSerializerContext;

public sealed class ConfigFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Missing_keys_take_the_defaults_and_bookkeeping_is_dropped()
    {
        var config = Read("""{"_class_name":"X","_diffusers_version":"0.6.0","architectures":["X"],"torch_dtype":"float16","transformers_version":"4","future":null,"initializer_range":0.02,"layers":2}""", ConfigKind.Model, "initializer_range");
        Assert.Equal(new SampleConfig(2), config);
    }

    [Fact]
    public void The_numbers_that_JSON_lacks_are_read() =>
        Assert.Equal(double.PositiveInfinity, Read("""{"layers":1,"clip_sample_range":Infinity}""", ConfigKind.Model).ClipSampleRange);

    [Fact]
    public void A_scheduler_may_say_more_than_its_class_knows() => Assert.Equal(new SampleConfig(1), Read("""{"layers":1,"trained_betas":[1]}""", ConfigKind.Lenient));

    [Theory]
    [InlineData("""{"layers":1,"dual_path":true}""", "\"dual_path\": true")]
    [InlineData("""{"layers":1,"act_fn":"mish"}""", "\"act_fn\" is \"mish\"")]
    [InlineData("""{"layers":"two"}""", "\"layers\" is \"two\"")]
    [InlineData("""{"layers":1,"block_out_channels":[1,null]}""", "\"block_out_channels\" is [1,null]")]
    [InlineData("""{"act_fn":"silu"}""", "layers")]
    [InlineData("""[1]""", "Array")]
    [InlineData("""{"layers":1""", "not valid JSON")]
    public void What_cannot_be_done_is_named_with_file_key_and_value(string json, string named)
    {
        var error = Assert.Throws<BrumaException>(() => Read(json, ConfigKind.Model));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", error.Message, StringComparison.Ordinal);
    }

    private SampleConfig Read(string json, ConfigKind kind, params string[] ignored)
    {
        File.WriteAllText(_folder["config.json"], json);
        return ConfigFile.Read(_folder["config.json"], SampleContext.Default.SampleConfig, kind, ignored);
    }
}
