using Bruma.Hub;
using Bruma.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>One of the two networks with its flat parameters and its optimizer.</summary>
internal sealed class Player : IDisposable
{
    private readonly Module _network;
    private readonly OptimizerOptions _options;
    private readonly Optimizer _optimizer;
    private readonly EmaOptions? _ema;
    private readonly IReadOnlyList<Tensor> _parameters;

    public Player(Module network, OptimizerOptions options, EmaOptions? ema = null)
    {
        (_network, _options, _ema) = (network, options, ema);
        Parameters = new FlatParameters(network, ScalarType.Float32, (_, _) => (options.WeightDecay, 1));
        _optimizer = options.Create(Parameters);
        _parameters = [.. network.parameters()];
        Average = ema is null ? null : Parameters.Master.clone().DetachFromDisposeScope();
    }

    public FlatParameters Parameters { get; }

    public Tensor? Average { get; }

    /// <summary>Whether gradients reach its weights; through the network to its input they pass in either case.</summary>
    public void Learn(bool learns)
    {
        foreach (var parameter in _parameters)
            parameter.requires_grad = learns;
    }

    /// <summary>Moves the weights by the gradients that backward has added up, and clears them.</summary>
    /// <returns>The gradient's norm and the rate used.</returns>
    public (double Norm, double Rate) Step(long number, double factor)
    {
        var reader = new FlatReader(TensorMemory.Address(Parameters.Gradient), false);
        var norm = Math.Sqrt(FlatPass.SumOfSquares(reader, Parameters.Count));
        if (!double.IsFinite(norm))
            return (norm, 0);
        var rate = _options.LearningRate * factor;
        _optimizer.Step(new OptimizerStep(Parameters.Gradient, 1, number, rate, Average is null ? null : (Average, _ema!.At(number))));
        reader.Clear(0, Parameters.Count);
        return (norm, rate);
    }

    /// <summary>What the network remembers beside its weights: running means, and the vectors of spectral norms.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Buffers() => _network.named_buffers().Select(pair => new KeyValuePair<string, Tensor>(pair.name, pair.buffer));

    /// <summary>Weights, or their average, with the buffers.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State(bool averaged = false) => Parameters.Named(averaged ? Average ?? Parameters.Master : Parameters.Master).Concat(Buffers());

    public void Save(string network, string optimizer)
    {
        SafetensorsFile.Write(network, State());
        SafetensorsFile.Write(optimizer, Moments().Select(pair => new KeyValuePair<string, Tensor>(pair.Key, pair.Value)));
    }

    public void Restore(string network, string optimizer)
    {
        StoredTensors.Into(network, State());
        StoredTensors.Into(optimizer, Moments());
    }

    public void Dispose()
    {
        Average?.Dispose();
        _optimizer.Dispose();
        Parameters.Dispose();
    }

    private IEnumerable<KeyValuePair<string, Tensor>> Moments() =>
        _optimizer.State.SelectMany(state => Parameters.Named(state.Value).Select(pair => new KeyValuePair<string, Tensor>($"{state.Key}.{pair.Key}", pair.Value)));
}
