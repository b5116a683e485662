using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>Tensors of several sources as one; the sources stay their owners'.</summary>
internal sealed class JoinedTensors(string origin, IEnumerable<ITensorSource> sources) : ITensorSource
{
    private readonly Dictionary<string, ITensorSource> _owners = sources.SelectMany(source => source.Tensors.Keys.Select(name => (name, source))).ToDictionary(pair => pair.name, pair => pair.source, StringComparer.Ordinal);

    public string Origin => origin;

    public IReadOnlyDictionary<string, TensorInfo> Tensors => field ??= _owners.ToDictionary(owner => owner.Key, owner => owner.Value.Tensors[owner.Key], StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    public Tensor Read(string name, ScalarType? dtype = null) => _owners[name].Read(name, dtype);

    public void Dispose()
    {
    }
}
