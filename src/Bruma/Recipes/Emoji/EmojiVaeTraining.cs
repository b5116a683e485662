using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Gans;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Nn;
using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Trains the autoencoder on pictures that are not held out, and normalises its latents.</summary>
public sealed class EmojiVaeTraining : EmojiStage<PictureBatch>
{
    private const int MeasureBatch = 32;
    private const int SheetPairs = 16;
    private const int Measured = 256;
    private const int MostGarments = 2000;
    private const double CropMargin = 1.25;
    private const long Initial = 7;

    private readonly EmojiVaeOptions _options;
    private readonly EmojiDataset _data;
    private readonly List<TrainingImages> _others;
    private readonly List<int> _seen;
    private readonly List<int> _hidden;
    private readonly AutoencoderKl _network;
    private readonly EmojiFeatureLoss? _features;
    private readonly PatchAdversary? _adversary;

    private EmojiVaeTraining(RunFolder run, EmojiVaeOptions options, EmojiDataset data, EmojiSplits splits)
        : base(run, options.Settings)
    {
        (_options, _data) = (options, data);
        _others = [.. Others(options)];
        var all = Enumerable.Range(0, data.Pictures.Count).ToLookup(i => splits.HidesPicture(data.Index.Styles[data.Pictures[i].Style], data.Concepts[data.Pictures[i].Concept].Codepoints));
        _seen = [.. all[false]];
        _hidden = [.. all[true]];
        if (_hidden.Count == 0)
            throw new BrumaException($"{options.Data}: none of its pictures is held out, so nothing could be measured; build more concepts.");
        _network = options.From is { } from ? WithFrozenEncoder(from) : Untrained(options);
        _features = options.FeatureWeight > 0 ? EmojiFeatureLoss.Beside(options.From is { } model ? Path.GetDirectoryName(model)! : run.Root, options.Precision) : null;
        _adversary = options.AdversaryWeight > 0 ? new PatchAdversary(options.Adversary) : null;
        Trainer = new Trainer<PictureBatch>(_network, Loss, options.Trainer, ComputePrecision.TypeOf(options.Precision));
    }

    public override IEnumerable<string> Introduction =>
    [
        .. base.Introduction,
        $"{_seen.Count} emoji of {_options.Size} px to learn from, {_hidden.Count} held out; others: {string.Join(", ", [.. _others.Select(images => $"{images.Count} pictures"), .. _options.Tiles ? ["tiles"] : _others.Count == 0 ? ["none"] : Array.Empty<string>()])}",
    ];

    protected override Trainer<PictureBatch> Trainer { get; }

    /// <exception cref="BrumaException">Data or folder are not usable; nothing is written then.</exception>
    public static EmojiVaeTraining Start(string folder, EmojiVaeOptions options, EmojiSplits splits)
    {
        RunFolder.CheckNew(folder);
        var data = EmojiDataset.Open(options.Data);
        var run = RunFolder.Create(folder, System.Text.Json.JsonSerializer.Serialize(options, EmojiOptionsJson.Default.EmojiVaeOptions) + "\n");
        run.WriteProvenance(options.Precision, data.Sha256);
        return new EmojiVaeTraining(run, options, data, splits);
    }

    /// <summary>Trains the decoder of a finished run on, in a folder of its own, with the data of that run; the encoder, and so every latent, stays as it is.</summary>
    /// <param name="run">Folder of the autoencoder's run, which is left as it is.</param>
    /// <param name="adversary">Weight of a discriminator of patches; 0 for none.</param>
    /// <exception cref="BrumaException">The run is not finished.</exception>
    public static EmojiVaeTraining Refine(string folder, string run, int steps, double adversary, EmojiSplits splits)
    {
        var finished = RunFolder.Open(run);
        var options = EmojiOptionsJson.Read(finished.Config, EmojiOptionsJson.Default.EmojiVaeOptions);
        if (options.Recipe != EmojiVaeOptions.RecipeName)
            throw new BrumaException($"{run}: is a run of {options.Recipe}; give that of an autoencoder, RUN/vae, or a finished model.");
        return Directory.Exists(finished.Model)
            ? Start(folder, options.Refining(Path.GetFullPath(finished.Model), steps) with { AdversaryWeight = adversary, Seed = options.Seed + 1 }, splits)
            : throw new BrumaException($"{run}: the autoencoder is not finished; finish it first (bruma resume {run}).");
    }

    public static EmojiVaeTraining Resume(string folder, EmojiSplits splits)
    {
        var run = RunFolder.Open(folder);
        var options = EmojiOptionsJson.Read(run.Config, EmojiOptionsJson.Default.EmojiVaeOptions);
        var training = new EmojiVaeTraining(run, options, EmojiDataset.Open(options.Data), splits);
        training.RestoreNewest();
        return training;
    }

    /// <summary>Writes the averaged weights with normalised latents, in fp32.</summary>
    public override IEnumerable<string> Finish()
    {
        using var scope = NewDisposeScope();
        if (_options.From is { } from)
        {
            using var whole = AutoencoderKl.Load(from); // the encoder's weights as they were, not rounded
            var weights = whole.state_dict();
            foreach (var (name, values) in Trainer.Parameters.Named(Trainer.Average!))
                weights[name] = values;
            _network.Save(RunFolder.Model, weights);
            yield return $"autoencoder: {RunFolder.Model}; its latents are those of {from}";
            yield break;
        }
        var (mean, deviation) = Trainer.WithAverage(() => LatentNormalisation.Measure(_network, _seen.Chunk(MeasureBatch).Select(part => EmojiPainter.Plain(_data.Pixels, part, _options.Size))));
        _network.Save(RunFolder.Model, LatentNormalisation.Fold(Trainer.Parameters.Named(Trainer.Average!), mean, deviation));
        yield return FormattableString.Invariant($"latents had deviations of {deviation.min().item<float>():0.00} to {deviation.max().item<float>():0.00}, now 1");
        yield return $"autoencoder: {RunFolder.Model}";
    }

    public override void Dispose()
    {
        base.Dispose();
        _network.Dispose();
        _features?.Dispose();
        _adversary?.Dispose();
        _data.Dispose();
        foreach (var images in _others)
            images.Dispose();
    }

    protected override IEnumerable<PictureBatch> Batches(long first) => Prefetch.From(first, new EmojiVaeBatches(_data, _seen, _options, _others).At);

    /// <summary>Reconstruction of 256 held-out emoji without noise; the PSNR is that of the mean error over all of them, sharpness 1 is that of the pictures.</summary>
    protected override IReadOnlyDictionary<string, double> Measure(long step)
    {
        using var scope = NewDisposeScope();
        var (loss, squares, similarity, deviation, edges, wanted) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        var chosen = EmojiPrompts.Spread(_hidden, Measured);
        foreach (var part in chosen.Chunk(MeasureBatch))
        {
            using var own = NewDisposeScope();
            var pictures = EmojiPainter.Plain(_data.Pixels, part, _options.Size);
            var latents = _network.Encode(pictures).Mean;
            var output = _network.Decode(latents).to(float32).clamp(-1, 1);
            loss += EmojiVaeLoss.Reconstruction(output, pictures).item<float>() * part.Length;
            squares += PixelSimilarity.MeanSquaredError(output, pictures).sum().item<double>();
            similarity += PixelSimilarity.Ssim(output, pictures, 2).sum().item<double>();
            deviation += latents.to(float32).std().item<float>() * part.Length;
            edges += EmojiVaeLoss.Edges(output).item<float>() * part.Length;
            wanted += EmojiVaeLoss.Edges(pictures).item<float>() * part.Length;
        }
        DrawSheet(step);
        return new Dictionary<string, double>
        {
            [EmojiMeasures.Loss] = loss / chosen.Count,
            ["psnr"] = 10 * Math.Log10(4 / (squares / chosen.Count)),
            ["ssim"] = similarity / chosen.Count,
            ["sharpness"] = edges / wanted,
            ["latent_std"] = deviation / chosen.Count,
        };
    }

    protected override void Save(string folder)
    {
        base.Save(folder);
        _adversary?.Save(folder);
    }

    protected override void Restore(string folder, long step)
    {
        base.Restore(folder, step);
        _adversary?.Restore(folder);
    }

    private Tensor Loss(PictureBatch batch, Generator random) => EmojiVaeLoss.Of(_network, batch.Pictures, _options.KlWeight, random, (output, loss) =>
    {
        using var scope = NewDisposeScope();
        if (_features is not null && batch.Number >= _options.FeaturesFrom * _options.Steps) // they say little of a blur, so values come first
            loss = loss + _options.FeatureWeight * _features.Of(output, batch.Pictures);
        return (_adversary is null ? loss : _adversary.AddTo(loss, output, batch.Pictures, _network.LastWeight, batch.Number)).MoveToOuterDisposeScope();
    });

    /// <summary>Held-out pictures and below each its reconstruction.</summary>
    private void DrawSheet(long step)
    {
        using var scope = NewDisposeScope();
        var chosen = EmojiPrompts.Spread(_hidden, SheetPairs);
        var pictures = EmojiPainter.Plain(_data.Pixels, chosen, _options.Size);
        var output = ImageTensor.ToBytes(_network.call(pictures));
        var rows = ImageTensor.ToBytes(pictures).unbind().Chunk(8).Zip(output.unbind().Chunk(8)).SelectMany(pair => pair.First.Concat(pair.Second));
        PngFile.Write(Path.Combine(Folder, "samples", $"step-{step:D7}.png"), ContactSheet.Compose([.. rows], 8));
    }

    private static AutoencoderKl Untrained(EmojiVaeOptions options)
    {
        var network = new AutoencoderKl(options.Network);
        using var start = HashedSeed.At(options.Seed, Initial);
        network.Initialize(start, zeroOutputs: true);
        return network;
    }

    private static AutoencoderKl WithFrozenEncoder(string folder)
    {
        var network = AutoencoderKl.Load(folder);
        Freezing.Freeze(network, ["encoder.", "quant_conv."]);
        return network;
    }

    private static IEnumerable<TrainingImages> Others(EmojiVaeOptions options)
    {
        if (options.Photos is { } photos)
        {
            var side = (int)(options.Size * CropMargin);
            yield return TrainingImages.Load(new SquaredSource(PhotoSplit.Seen(ImageSource.Open(photos)), side), side);
        }
        if (options.Garments)
        {
            var garments = FashionMnist.Train();
            yield return TrainingImages.Load(new ImageSubset(garments, [.. Enumerable.Range(0, Math.Min(MostGarments, garments.Examples.Count))], "the first"), options.Size);
        }
    }
}
