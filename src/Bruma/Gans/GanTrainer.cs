using Bruma.Data;
using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>Plays generator against discriminator. The caller owns the loop: previews, checkpoints, early stops.</summary>
public sealed class GanTrainer : IDisposable
{
    private const int SettlingBatches = 24; // with a momentum of 0.1 a twelfth of the old statistics is left

    private readonly GanGenerator _generator;
    private readonly GanDiscriminator _discriminator;
    private readonly GanNoise _noise;
    private readonly GanTrainerOptions _options;
    private readonly Player _maker;
    private readonly Player _judge;

    /// <param name="generator">Initialised, fp32.</param>
    /// <param name="discriminator">Initialised, fp32: penalties differentiate twice, which narrower types do not bear.</param>
    public GanTrainer(GanGenerator generator, GanDiscriminator discriminator, GanNoise noise, GanTrainerOptions options)
    {
        (_generator, _discriminator, _noise, _options) = (generator, discriminator, noise, options);
        _maker = new Player(generator, options.Generator, options.Ema);
        _judge = new Player(discriminator, options.Discriminator);
    }

    /// <summary>Updates of the generator done so far.</summary>
    public long Step { get; private set; }

    public long GeneratorParameters => _maker.Parameters.Count;

    public long DiscriminatorParameters => _judge.Parameters.Count;

    /// <summary>The generator's averaged weights and its buffers by key; the weights themselves without averaging.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> AveragedGenerator => _maker.State(averaged: true);

    /// <summary>Trains until the last step or until cancelled; the step under way is always finished.</summary>
    /// <param name="batches">The stream of real batches from a given discriminator update on.</param>
    /// <exception cref="BrumaException">A loss or a gradient is not finite.</exception>
    public IEnumerable<GanStepReport> Run(Func<long, IEnumerable<ImageBatch>> batches, CancellationToken cancellationToken = default)
    {
        using var source = batches(Step * _options.DiscriminatorSteps).GetEnumerator();
        _generator.train();
        _discriminator.train();
        while (Step < _options.Steps && !cancellationToken.IsCancellationRequested)
            yield return TakeStep(source); // no scope is open across the yield
    }

    /// <summary>Computes with the averaged generator, its batch norms settled, in evaluation mode and without gradients, then goes back; nothing of the run changes.</summary>
    public T WithAverage<T>(Func<T> work)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        if (_maker.Average is null)
            return Evaluated(work);
        var kept = _maker.Parameters.Master.clone();
        var buffers = _maker.Buffers().Select(pair => (Buffer: pair.Value, Kept: pair.Value.clone())).ToList();
        _maker.Parameters.Master.copy_(_maker.Average);
        try
        {
            if (_generator.HasBatchNorm)
                Settle();
            return Evaluated(work);
        }
        finally
        {
            _maker.Parameters.Master.copy_(kept);
            foreach (var (buffer, before) in buffers)
                buffer.copy_(before);
        }
    }

    /// <summary>Writes both networks, the average and both optimizers into a folder; equal states give equal bytes.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        _maker.Save(Path.Combine(folder, "generator.safetensors"), Path.Combine(folder, "optimizer-g.safetensors"));
        _judge.Save(Path.Combine(folder, "discriminator.safetensors"), Path.Combine(folder, "optimizer-d.safetensors"));
        SafetensorsFile.Write(Path.Combine(folder, "ema.safetensors"), AveragedGenerator);
    }

    /// <summary>Goes on from a folder written by <see cref="Save"/>.</summary>
    public void Restore(string folder, long step)
    {
        using var noGradient = no_grad();
        _maker.Restore(Path.Combine(folder, "generator.safetensors"), Path.Combine(folder, "optimizer-g.safetensors"));
        _judge.Restore(Path.Combine(folder, "discriminator.safetensors"), Path.Combine(folder, "optimizer-d.safetensors"));
        if (_maker.Average is not null)
            StoredTensors.Into(Path.Combine(folder, "ema.safetensors"), _maker.Parameters.Named(_maker.Average));
        Step = step;
    }

    public void Dispose()
    {
        _maker.Dispose();
        _judge.Dispose();
    }

    private T Evaluated<T>(Func<T> work)
    {
        _generator.eval();
        try
        {
            return work();
        }
        finally
        {
            _generator.train();
        }
    }

    /// <summary>The running statistics belong to the latest weights: some batches make them those of the averaged ones.</summary>
    private void Settle()
    {
        for (var batch = 1; batch <= SettlingBatches; batch++)
        {
            using var scope = NewDisposeScope();
            var draw = _noise.ForGenerator(-batch);
            _generator.call(draw.Latents, draw.Classes);
        }
    }

    private GanStepReport TakeStep(IEnumerator<ImageBatch> source)
    {
        using var scope = NewDisposeScope();
        using var gradients = enable_grad(); // also where the caller has switched them off
        var updates = new List<DiscriminatorReport>();
        var draw = _noise.ForGenerator(Step);
        var fake = _options.DiscriminatorSteps == 1 ? _generator.call(draw.Latents, draw.Classes) : null;
        ImageBatch? batch = null;
        for (var i = 0; i < _options.DiscriminatorSteps; i++)
        {
            batch?.Dispose();
            batch = source.MoveNext() ? source.Current : throw new InvalidOperationException("the stream of batches ended before the run");
            var pass = Step * _options.DiscriminatorSteps + i;
            updates.Add(TrainDiscriminator(batch, fake is null ? Shown(pass) : (fake.detach(), draw.Classes), pass));
        }

        fake ??= _generator.call(draw.Latents, draw.Classes);
        var (loss, norm, rate) = TrainGenerator((fake, draw.Classes), batch!);
        batch!.Dispose();
        return new GanStepReport(Step, updates, loss, norm, rate);
    }

    /// <summary>Pictures for a discriminator's update of its own.</summary>
    private (Tensor Images, Tensor? Classes) Shown(long pass)
    {
        using var noGradient = no_grad();
        var draw = _noise.ForDiscriminator(Step, pass);
        return (_generator.call(draw.Latents, draw.Classes), draw.Classes);
    }

    private DiscriminatorReport TrainDiscriminator(ImageBatch batch, (Tensor Images, Tensor? Classes) shown, long pass)
    {
        using var scope = NewDisposeScope();
        var due = pass % _options.Penalties.Every == 0;
        var (penalties, classes) = (_options.Penalties, batch.Classes);
        var real = batch.Images.detach().requires_grad_(due && penalties.RealSlope > 0);
        var fake = shown.Images.detach().requires_grad_(due && penalties.FakeSlope > 0);

        var judgedReal = Judge(real, classes, pass, 0);
        var judgedFake = Judge(fake, shown.Classes, pass, 1);
        var loss = _options.Objective.Discriminator(judgedReal.Logits, judgedFake.Logits);
        if (judgedReal.ClassLogits is { } guesses)
            loss += functional.cross_entropy(guesses, classes!);
        var penalty = due ? Penalty((real, judgedReal.Logits), (fake, judgedFake.Logits), classes, pass) : null;
        (penalty is null ? loss : loss + penalty).backward();
        var report = new DiscriminatorReport(loss.item<float>(), penalty?.item<float>() ?? 0, 0, judgedReal.Logits.mean().item<float>(), judgedFake.Logits.mean().item<float>());
        var (norm, _) = _judge.Step(pass + 1, RateFactor);
        return Finite(report with { GradientNorm = norm });
    }

    private Tensor? Penalty((Tensor Images, Tensor Logits) real, (Tensor Images, Tensor Logits) fake, Tensor? classes, long pass)
    {
        var penalties = _options.Penalties;
        Tensor? sum = null;
        if (penalties.UnitSlope > 0)
        {
            var between = GradientPenalties.Between(real.Images, fake.Images, _noise.Between(pass));
            Add(GradientPenalties.UnitSlope(Judge(between, classes, pass, 2).Logits, between), penalties.UnitSlope);
        }
        if (penalties.RealSlope > 0 && penalties.FakeSlope > 0)
        {
            var (r1, r2) = GradientPenalties.ZeroSlopes((real.Logits, real.Images), (fake.Logits, fake.Images));
            Add(r1, penalties.RealSlope / 2 * SlopeShare);
            Add(r2, penalties.FakeSlope / 2 * SlopeShare);
        }
        else if (penalties.RealSlope > 0)
        {
            Add(GradientPenalties.ZeroSlope(real.Logits, real.Images), penalties.RealSlope / 2 * SlopeShare);
        }
        else if (penalties.FakeSlope > 0)
        {
            Add(GradientPenalties.ZeroSlope(fake.Logits, fake.Images), penalties.FakeSlope / 2 * SlopeShare);
        }
        return sum;

        void Add(Tensor term, double factor) => sum = sum is null ? term * (factor * penalties.Every) : sum + term * (factor * penalties.Every);
    }

    private (double Loss, double Norm, double Rate) TrainGenerator((Tensor Images, Tensor? Classes) fake, ImageBatch batch)
    {
        using var scope = NewDisposeScope();
        _judge.Learn(false); // its weights' gradients are not needed
        var pass = Step * _options.DiscriminatorSteps + _options.DiscriminatorSteps - 1;
        var judged = Judge(fake.Images, fake.Classes, pass, 3);
        var real = _options.Objective.IsRelativistic ? Judge(batch.Images, batch.Classes, pass, 4).Logits : null;
        var loss = _options.Objective.Generator(real, judged.Logits);
        if (judged.ClassLogits is { } guesses)
            loss += functional.cross_entropy(guesses, fake.Classes!);
        loss.backward();
        _judge.Learn(true);
        var value = loss.item<float>();
        var (norm, rate) = _maker.Step(Step + 1, RateFactor);
        if (!float.IsFinite(value) || !double.IsFinite(norm))
            throw NotFinite(FormattableString.Invariant($"the generator's loss is {value} and its gradient norm {norm}"));
        Step++;
        return (value, norm, rate);
    }

    private Judgement Judge(Tensor images, Tensor? classes, long pass, int judgement)
    {
        if (_options.Augment is null)
            return _discriminator.Judge(images, classes);
        using var random = _noise.ForAugmentation(pass, judgement);
        return _discriminator.Judge(_options.Augment(images, random), classes);
    }

    private double RateFactor => _options.Schedule?.At(Step) ?? 1;

    /// <summary>Where R1 and R2 are on their way down.</summary>
    private double SlopeShare => _options.Penalties.LastShare + (1 - _options.Penalties.LastShare) * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, (double)Step / _options.Steps)));

    private DiscriminatorReport Finite(DiscriminatorReport report) => double.IsFinite(report.Loss + report.Penalty + report.GradientNorm)
        ? report
        : throw NotFinite(FormattableString.Invariant($"the discriminator's loss is {report.Loss}, its penalty {report.Penalty} and its gradient norm {report.GradientNorm}"));

    private BrumaException NotFinite(string what) => new(FormattableString.Invariant($"step {Step + 1}: {what}; the last checkpoint is whole. Try half the --learning-rate, a larger --batch-size, or an objective with a penalty (wgan-gp, r3gan)."));
}
