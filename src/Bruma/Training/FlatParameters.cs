using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Training;

/// <summary>A run of parameters that share decay and learning rate.</summary>
/// <param name="Start">First element in the flat buffers.</param>
/// <param name="WeightDecay">Decay of this run.</param>
/// <param name="RateScale">Factor on the learning rate.</param>
/// <param name="FirstStep">Updates before which this run rests.</param>
public readonly record struct ParameterRun(long Start, long Length, double WeightDecay, double RateScale, long FirstStep = 0)
{
    /// <summary>Which update of this run an update of the whole is, from 1; 0 or less while it rests.</summary>
    public long Number(long step) => step - FirstStep;
}

/// <summary>Where a parameter lies in the flat buffers.</summary>
public sealed record FlatParameter(string Name, long[] Shape, long Start, long Length);

/// <summary>All trained parameters of a network as one fp32 buffer, with one buffer of gradients: what touches every parameter is one pass.</summary>
/// <remarks>In fp32 the network's parameters are views of <see cref="Master"/>. In bf16 they are views of a bf16 copy, in which the network computes.
/// The gradient of a parameter is set beforehand to a view of the gradient buffer, and autograd adds to it in place.</remarks>
public sealed class FlatParameters : IDisposable
{
    private readonly List<Tensor> _views = [];

    /// <param name="network">Initialised, fp32. Parameters that need no gradient are left out of the buffers.</param>
    /// <param name="precision">Type in which the network computes.</param>
    /// <param name="group">Decay and rate scale of a parameter, by name and tensor.</param>
    /// <param name="firstStep">Updates before which a parameter rests, by name; null for none.</param>
    public FlatParameters(Module network, ScalarType precision, Func<string, Tensor, (double WeightDecay, double RateScale)> group, Func<string, long>? firstStep = null)
    {
        Precision = precision;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var trained = network.named_parameters().Where(pair => pair.parameter.requires_grad)
            .Select(pair => (pair.name, pair.parameter.shape, group: (Pace: group(pair.name, pair.parameter), First: firstStep?.Invoke(pair.name) ?? 0), values: pair.parameter.detach().to(float32).reshape(-1)))
            .GroupBy(entry => entry.group).SelectMany(entries => entries).ToList();
        (Parameters, Runs) = Layout([.. trained.Select(entry => (entry.name, entry.shape, entry.group))]);
        Master = cat([.. trained.Select(entry => entry.values)]).DetachFromDisposeScope();
        Computed = precision == ScalarType.Float32 ? Master : Master.to(precision).DetachFromDisposeScope();
        Gradient = zeros_like(Computed).DetachFromDisposeScope();
        if (precision != ScalarType.Float32)
            network.to(precision);
        Bind(network);
    }

    public ScalarType Precision { get; }

    public IReadOnlyList<FlatParameter> Parameters { get; }

    public IReadOnlyList<ParameterRun> Runs { get; }

    /// <summary>The weights, fp32, [P].</summary>
    public Tensor Master { get; }

    /// <summary>The weights in the type of the network, [P]; the master itself in fp32.</summary>
    public Tensor Computed { get; }

    /// <summary>Gradients in the type of the network, [P].</summary>
    public Tensor Gradient { get; }

    public long Count => Master.numel();

    /// <summary>A zeroed fp32 buffer of the same layout.</summary>
    public Tensor NewBuffer() => zeros(Count, float32).DetachFromDisposeScope();

    /// <summary>Views of a flat buffer under the parameters' names.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Named(Tensor buffer) =>
        Parameters.Select(parameter => new KeyValuePair<string, Tensor>(parameter.Name, buffer.narrow(0, parameter.Start, parameter.Length).view(parameter.Shape)));

    public void Dispose()
    {
        foreach (var view in _views)
            view.Dispose();
        Gradient.Dispose();
        if (!ReferenceEquals(Computed, Master))
            Computed.Dispose();
        Master.Dispose();
    }

    private void Bind(Module network)
    {
        var byName = network.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter, StringComparer.Ordinal);
        foreach (var place in Parameters)
        {
            var parameter = byName[place.Name];
            parameter.set_(Computed.narrow(0, place.Start, place.Length).view(place.Shape));
            var gradient = Gradient.narrow(0, place.Start, place.Length).view(place.Shape).DetachFromDisposeScope();
            parameter.grad = gradient;
            _views.Add(gradient);
        }
    }

    private static (List<FlatParameter> Parameters, List<ParameterRun> Runs) Layout(IReadOnlyList<(string Name, long[] Shape, ((double Decay, double Scale) Pace, long First) Group)> trained)
    {
        var (parameters, runs, start) = (new List<FlatParameter>(), new List<ParameterRun>(), 0L);
        foreach (var (name, shape, ((decay, scale), first)) in trained)
        {
            var length = shape.Aggregate(1L, (product, size) => product * size);
            parameters.Add(new FlatParameter(name, shape, start, length));
            if (runs.Count > 0 && runs[^1].WeightDecay == decay && runs[^1].RateScale == scale && runs[^1].FirstStep == first)
                runs[^1] = runs[^1] with { Length = runs[^1].Length + length };
            else
                runs.Add(new ParameterRun(start, length, decay, scale, first));
            start += length;
        }
        if (start == 0)
            throw new ArgumentException("the network has no parameter to train");
        return (parameters, runs);
    }
}
