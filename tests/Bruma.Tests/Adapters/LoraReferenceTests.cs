using Bruma.Adapters;
using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Tests.Adapters;

/// <summary>The files of the reference cases, layer by layer: what diffusers and PEFT add to the weights.</summary>
public sealed class LoraReferenceTests
{
    [Theory]
    [InlineData("lora-diffusers", "tiny-sd")]
    [InlineData("lora-diffusers-07", "tiny-sd")]
    [InlineData("lora-kohya", "tiny-sd")]
    [InlineData("lora-kohya-07", "tiny-sd")]
    [InlineData("lora-kohya-sdxl", "tiny-sdxl")]
    [InlineData("lora-locon", "tiny-sd")]
    [InlineData("lora-two", "tiny-sd")]
    [InlineData("lora-peft-folder", "tiny-sd")]
    [InlineData("lora-dora-folder", "tiny-sd")]
    public void The_updates_are_those_of_the_reference(string name, string model)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var folder = Path.Combine(Repository.Goldens, "formats", name);
        using var description = PythonJson.ParseFile(Path.Combine(folder, "case.json"));
        using var expected = new SafetensorsFile(Path.Combine(folder, "tensors.safetensors"));
        var components = Components(Path.Combine(Repository.Goldens, "pipelines", model));
        var adapters = description.RootElement.GetProperty("spec").GetProperty("adapters").EnumerateArray().Select(adapter => (
            File: LoraFile.Load(Path.Combine(folder, (adapter.TryGetProperty("file", out var file) ? file : adapter.GetProperty("folder")).GetString()!), components, adapter.TryGetProperty("component", out var part) ? part.GetString() : null),
            Weight: adapter.GetProperty("weight").GetDouble())).ToList();
        var deltas = expected.Tensors.Keys.Where(key => key.StartsWith("delta.", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(deltas);
        foreach (var key in deltas)
        {
            var (component, layer) = (key.Split('.')[1], string.Join('.', key.Split('.')[2..^1]));
            var weight = components[component].get_parameter($"{layer}.weight")!;
            var sum = adapters.SelectMany(adapter => adapter.File.Updates.Where(update => update.Component == component && update.Layer == layer).Select(update => update.Delta(weight, adapter.Weight))).Aggregate((total, delta) => total + delta);
            Assert.True(sum.allclose(expected.Read(key, float32), 1e-4, 1e-5), key);
        }
        adapters.ForEach(adapter => adapter.File.Dispose());
        foreach (var network in components.Values)
            network.Dispose();
    }

    private static Dictionary<string, nn.Module> Components(string folder)
    {
        var components = new Dictionary<string, nn.Module> { ["unet"] = UNet2DConditionModel.Load(Path.Combine(folder, "unet")) };
        components["text_encoder"] = ClipTextModel.Load(Path.Combine(Repository.Goldens, "pipelines", "tiny-sd", "text_encoder"));
        if (Directory.Exists(Path.Combine(folder, "text_encoder_2")))
            components["text_encoder_2"] = ClipTextModelWithProjection.Load(Path.Combine(folder, "text_encoder_2"));
        return components;
    }
}
