using System.Globalization;
using Bruma.Hub;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>The weights with the lowest validation loss so far; part of every checkpoint.</summary>
internal sealed class BestWeights(FlatParameters parameters) : IDisposable
{
    private const string FileName = "best.safetensors";

    private Tensor? _values;

    public double Loss { get; private set; } = double.PositiveInfinity;

    public long Step { get; private set; }

    /// <summary>Weights by parameter, fp32; null before the first validation.</summary>
    public IReadOnlyDictionary<string, Tensor>? Values => _values is null ? null : parameters.Named(_values).ToDictionary(StringComparer.Ordinal);

    /// <returns>Whether these are the best so far.</returns>
    public bool Offer(double loss, long step, Tensor values)
    {
        if (!(loss < Loss))
            return false;
        (Loss, Step) = (loss, step);
        _values?.Dispose();
        _values = values.clone().DetachFromDisposeScope();
        return true;
    }

    public void Save(string folder)
    {
        if (_values is null)
            return;
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(Path.Combine(folder, FileName), parameters.Named(_values), new Dictionary<string, string> { ["loss"] = Loss.ToString("R", CultureInfo.InvariantCulture), ["step"] = Step.ToString(CultureInfo.InvariantCulture) });
    }

    public void Restore(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return;
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var file = new SafetensorsFile(path);
        _values = parameters.NewBuffer();
        foreach (var (name, values) in parameters.Named(_values))
            values.copy_(file.Read(name, float32));
        (Loss, Step) = (double.Parse(file.Metadata["loss"], CultureInfo.InvariantCulture), long.Parse(file.Metadata["step"], CultureInfo.InvariantCulture));
    }

    public void Dispose() => _values?.Dispose();
}
