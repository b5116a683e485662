using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>The latest tensors of a multistep algorithm, kept beyond the scopes of its steps.</summary>
internal sealed class TensorHistory(int capacity) : IDisposable
{
    private readonly List<Tensor> _newestFirst = [];

    public int Count => _newestFirst.Count;

    /// <summary>0 is the newest.</summary>
    public Tensor this[int age] => _newestFirst[age];

    public void Add(Tensor tensor)
    {
        _newestFirst.Insert(0, tensor.detach().DetachFromDisposeScope());
        if (Count > capacity)
        {
            _newestFirst[^1].Dispose();
            _newestFirst.RemoveAt(Count - 1);
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _newestFirst)
            tensor.Dispose();
        _newestFirst.Clear();
    }
}
