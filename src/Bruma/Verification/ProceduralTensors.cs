using System.Text;
using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Weights of full-size cases, which are not stored: each number is a function of its parameter's name and its place.</summary>
internal sealed class ProceduralTensors(Module network) : ITensorSource
{
    private const double Step = 1.0 / (1 << 23);

    public string Origin => "procedural weights";

    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; } = network.state_dict().ToDictionary(pair => pair.Key, pair => new TensorInfo("F32", pair.Value.shape), StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>The network of a case's config, filled.</summary>
    public static Module Load(GoldenCase golden, string className)
    {
        var folder = Directory.CreateTempSubdirectory("bruma-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "config.json"), golden.Spec.GetProperty("config").GetRawText());
            return className switch
            {
                nameof(UNet2DConditionModel) => Filled(UNet2DConditionModel.ReadConfig(folder.FullName), (config, device) => new UNet2DConditionModel(config, device)),
                "AutoencoderKL" => Filled(AutoencoderKl.ReadConfig(folder.FullName), (config, device) => new AutoencoderKl(config, device)),
                "CLIPTextModel" => Filled(ClipTextTransformer.ReadConfig(folder.FullName), (config, device) => new ClipTextModel(config, device)),
                _ => throw new UnknownCaseException($"class {className} with procedural weights"),
            };
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public unsafe Tensor Read(string name, ScalarType? dtype = null)
    {
        using var scope = NewDisposeScope();
        var shape = Tensors[name].Shape;
        var values = empty(shape, float32);
        var to = (float*)TensorMemory.Address(values);
        var (count, hash) = (values.numel(), Crc32.Of(Encoding.UTF8.GetBytes(name)));
        var (scale, offset) = shape.Length >= 2 ? (Math.Sqrt(3.0 * shape[0] / count), 0.0) : name.EndsWith("weight", StringComparison.Ordinal) ? (0.1, 1.0) : (0.02, 0.0);
        for (var i = 0L; i < count; i++)
        {
            var x = unchecked((uint)i * 0x9E3779B1u + hash);
            x ^= x >> 16;
            x *= 0x85EBCA6Bu;
            x ^= x >> 13;
            x *= 0xC2B2AE35u;
            x ^= x >> 16;
            to[i] = (float)(offset + scale * ((x >> 8) * Step - 1));
        }
        return (dtype is null ? values : values.to(dtype.Value)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
    }

    private static T Filled<TConfig, T>(TConfig config, Func<TConfig, Device?, T> create)
        where T : Module
    {
        using var plan = create(config, new Device(TorchSharp.DeviceType.META));
        using var weights = new ProceduralTensors(plan);
        return DirectLoading.Load(device => create(config, device), weights);
    }
}
