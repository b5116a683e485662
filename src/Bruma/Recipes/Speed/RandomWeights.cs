using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Speed;

/// <summary>Weights of the usual size for networks that are only timed: one drawn block, repeated.</summary>
internal sealed class RandomWeights : ITensorSource
{
    private const int Drawn = 1 << 20;

    private readonly Tensor _block;

    private RandomWeights(Module plan)
    {
        Tensors = plan.state_dict().ToDictionary(pair => pair.Key, pair => new TensorInfo("F32", pair.Value.shape), StringComparer.Ordinal);
        using var random = new Generator(1, CPU);
        _block = randn(Drawn, generator: random).DetachFromDisposeScope();
    }

    public string Origin => "random weights";

    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <param name="create">Makes the network on a device.</param>
    public static T Fill<T>(Func<Device, T> create, ScalarType dtype)
        where T : Module
    {
        using var plan = create(new Device(TorchSharp.DeviceType.META));
        using var weights = new RandomWeights(plan);
        return DirectLoading.Load(create, weights, dtype);
    }

    public Tensor Read(string name, ScalarType? dtype = null)
    {
        using var scope = NewDisposeScope();
        var (shape, count) = (Tensors[name].Shape, Tensors[name].Count);
        if (shape.Length < 2)
            return (name.EndsWith("weight", StringComparison.Ordinal) ? ones(shape) : zeros(shape)).to(dtype ?? ScalarType.Float32).MoveToOuterDisposeScope();
        var block = (_block * Math.Sqrt((double)shape[0] / count)).to(dtype ?? ScalarType.Float32);
        return block.repeat((count + Drawn - 1) / Drawn).narrow(0, 0, count).reshape(shape).clone().MoveToOuterDisposeScope();
    }

    public void Dispose() => _block.Dispose();
}
