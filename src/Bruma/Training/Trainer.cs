using Bruma.Hub;
using Bruma.Nn;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Training;

/// <param name="Steps">Updates of the whole run.</param>
/// <param name="GradientAccumulation">Micro-batches per update.</param>
/// <param name="MaxGradientNorm">Gradients are clipped to this global norm.</param>
/// <param name="Seed">Seed of noise, times and dropout.</param>
/// <param name="DecaysAll">Norms and biases decay too.</param>
/// <param name="Group">Decay and rate of each parameter, in place of <paramref name="DecaysAll"/>; null for one rate for all.</param>
/// <param name="FirstStep">Updates before which a parameter rests, by its name; null for none.</param>
public sealed record TrainerOptions(
    int Steps, LearningRateSchedule Schedule, OptimizerOptions Optimizer, EmaOptions? Ema, int GradientAccumulation = 1, double MaxGradientNorm = 1, long Seed = 0, bool DecaysAll = false, ParameterGroup? Group = null,
    Func<string, long>? FirstStep = null)
{
    internal (double WeightDecay, double RateScale) GroupOf(string name, Tensor parameter) =>
        Group?.Invoke(name, parameter) ?? (parameter.dim() >= 2 || DecaysAll ? Optimizer.WeightDecay : 0, 1);
}

/// <summary>The weight decay of a parameter and the factor on its learning rate.</summary>
public delegate (double WeightDecay, double RateScale) ParameterGroup(string name, Tensor parameter);

/// <summary>Computes the mean loss of a micro-batch, fp32 and 0-D; everything random comes from the generator.</summary>
public delegate Tensor BatchLoss<in TBatch>(TBatch batch, Generator random);

/// <summary>Optimizes one network against one loss. The caller owns the loop: previews, checkpoints, early stops.</summary>
public sealed class Trainer<TBatch> : IDisposable
    where TBatch : IDisposable
{
    private readonly Module _network;
    private readonly BatchLoss<TBatch> _loss;
    private readonly TrainerOptions _options;
    private readonly Optimizer _optimizer;
    private readonly Func<TBatch, double>? _weight;
    private readonly Tensor? _accumulated;

    /// <param name="network">Initialised, fp32; from here on it computes in <paramref name="precision"/>.</param>
    /// <param name="weight">How much a micro-batch counts against the others of its update, such as its number of tokens; null counts all alike.</param>
    public Trainer(Module network, BatchLoss<TBatch> loss, TrainerOptions options, ScalarType precision = ScalarType.Float32, Func<TBatch, double>? weight = null)
    {
        (_network, _loss, _options, _weight) = (network, loss, options, weight);
        Parameters = new FlatParameters(network, precision, options.GroupOf, options.FirstStep);
        _optimizer = options.Optimizer.Create(Parameters);
        if (options.Ema is not null)
            Average = Parameters.Master.clone().DetachFromDisposeScope();
        if (precision == ScalarType.BFloat16 && options.GradientAccumulation > 1)
            _accumulated = Parameters.NewBuffer();
    }

    /// <summary>Updates done so far.</summary>
    public long Step { get; private set; }

    public FlatParameters Parameters { get; }

    /// <summary>Averaged weights, [P]; null without averaging.</summary>
    public Tensor? Average { get; }

    /// <summary>Trains until the last step or until cancelled; the step under way is always finished.</summary>
    /// <param name="batches">The stream of micro-batches from a given index on.</param>
    /// <exception cref="BrumaException">The loss or the gradient is not finite.</exception>
    public IEnumerable<StepReport> Run(Func<long, IEnumerable<TBatch>> batches, CancellationToken cancellationToken = default)
    {
        using var source = batches(Step * _options.GradientAccumulation).GetEnumerator();
        _network.train();
        while (Step < _options.Steps && !cancellationToken.IsCancellationRequested)
            yield return TakeStep(source); // no scope is open across the yield
    }

    /// <summary>Computes with the averaged weights, in evaluation mode and without gradients, then goes back.</summary>
    public T WithAverage<T>(Func<T> work)
    {
        using var noGradient = no_grad();
        using var kept = Parameters.Master.clone().DetachFromDisposeScope();
        _network.eval();
        Parameters.Computed.copy_(Average ?? Parameters.Master);
        try
        {
            return work();
        }
        finally
        {
            Parameters.Computed.copy_(kept);
            _network.train();
        }
    }

    public void Dispose()
    {
        _accumulated?.Dispose();
        Average?.Dispose();
        _optimizer.Dispose();
        Parameters.Dispose();
    }

    private StepReport TakeStep(IEnumerator<TBatch> source)
    {
        var (loss, total) = (0.0, 0.0);
        for (var micro = 0; micro < _options.GradientAccumulation; micro++)
        {
            if (!source.MoveNext())
                throw new InvalidOperationException("the stream of batches ended before the run");
            using var batch = source.Current;
            var weight = _weight?.Invoke(batch) ?? 1;
            loss += Accumulate(batch, micro, weight);
            total += weight;
        }
        loss /= total;

        var gradient = _accumulated ?? Parameters.Gradient;
        var norm = Math.Sqrt(FlatPass.SumOfSquares(Reader(gradient), Parameters.Count)) / total;
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
            throw new BrumaException(FormattableString.Invariant($"step {Step + 1}: the loss is {loss} and the gradient norm {norm}{Broken(gradient)}; the last checkpoint is whole. Try a lower --learning-rate or --precision fp32."));

        var rate = _options.Schedule.At(Step);
        Step++;
        _optimizer.Step(new OptimizerStep(gradient, Math.Min(1, _options.MaxGradientNorm / (norm + 1e-6)) / total, Step, rate, Average is null ? null : (Average, _options.Ema!.At(Step))));
        Reader(gradient).Clear(0, Parameters.Count);
        return new StepReport(Step, loss, rate, norm);
    }

    /// <summary>Where the gradient is not finite, in words: the first such parameters in the network's order, the last one to be computed.</summary>
    private string Broken(Tensor gradient)
    {
        using var scope = NewDisposeScope();
        var names = Parameters.Named(gradient).Where(pair => !pair.Value.isfinite().all().item<bool>()).Select(pair => pair.Key).ToList();
        return names.Count == 0 ? "" : $" (not finite in {names.Count} of {Parameters.Parameters.Count} parameters, such as {string.Join(", ", names.TakeLast(3))})";
    }

    private double Accumulate(TBatch batch, int micro, double weight)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad(); // also where the caller has switched them off
        using var generator = HashedSeed.At(_options.Seed, Step, micro, 0);
        using var dropout = HashedSeed.At(_options.Seed, Step, micro, 1);
        SeededDropout.SetGenerator(_network, dropout);
        var loss = _loss(batch, generator);
        (loss * weight).backward();
        if (_accumulated is not null)
            AddMicroGradient();
        return loss.item<float>() * weight;
    }

    private unsafe void AddMicroGradient() => FlatPass.AddAndClear((float*)TensorMemory.Address(_accumulated!), Reader(Parameters.Gradient), Parameters.Count);

    /// <summary>What the network remembers beside its weights, such as the running means of batch norms.</summary>
    private IEnumerable<KeyValuePair<string, Tensor>> Buffers() => _network.named_buffers().Select(pair => new KeyValuePair<string, Tensor>(pair.name, pair.buffer));

    private static FlatReader Reader(Tensor buffer) => new(TensorMemory.Address(buffer), buffer.dtype == ScalarType.BFloat16);

    /// <summary>Writes model, average, optimizer and state into a folder; equal states give equal bytes.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), Parameters.Named(Parameters.Master).Concat(Buffers()));
        SafetensorsFile.Write(Path.Combine(folder, "ema.safetensors"), Parameters.Named(Average ?? Parameters.Master).Concat(Buffers()));
        SafetensorsFile.Write(Path.Combine(folder, "optimizer.safetensors"),
            _optimizer.State.SelectMany(state => Parameters.Named(state.Value).Select(pair => new KeyValuePair<string, Tensor>($"{state.Key}.{pair.Key}", pair.Value))));
    }

    /// <summary>Goes on from a folder written by <see cref="Save"/>.</summary>
    public void Restore(string folder, long step)
    {
        using var noGradient = no_grad();
        Read("model.safetensors", "", Parameters.Named(Parameters.Master).Concat(Buffers()));
        if (Average is not null)
            Read("ema.safetensors", "", Parameters.Named(Average));
        foreach (var (name, buffer) in _optimizer.State)
            Read("optimizer.safetensors", name + ".", Parameters.Named(buffer));
        if (!ReferenceEquals(Parameters.Computed, Parameters.Master))
            Parameters.Computed.copy_(Parameters.Master);
        Step = step;

        void Read(string file, string prefix, IEnumerable<KeyValuePair<string, Tensor>> targets)
        {
            using var scope = NewDisposeScope();
            using var stored = new SafetensorsFile(Path.Combine(folder, file));
            foreach (var (name, values) in targets)
            {
                var read = stored.Read(prefix + name, values.dtype);
                if (!read.shape.SequenceEqual(values.shape))
                    throw new BrumaException($"{Path.Combine(folder, file)}: {prefix}{name} has the shape [{string.Join(", ", read.shape)}] where the network has [{string.Join(", ", values.shape)}]; the checkpoint belongs to another network.");
                values.copy_(read);
            }
        }
    }
}
