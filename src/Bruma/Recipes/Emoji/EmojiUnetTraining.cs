using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Nn;
using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;
using Bruma.Text;
using Bruma.Training;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Trains denoiser and text encoder together on latents, and writes the whole model.</summary>
public sealed class EmojiUnetTraining : EmojiStage<LatentBatch>
{
    private const int Measured = 128;
    private const int ShownPerRow = 8;
    private const int DrawingSteps = 25;
    private const double Guidance = 3;
    private const long Initial = 7;
    private const string Latents = "latents.safetensors";

    private readonly EmojiUnetOptions _options;
    private readonly EmojiStagePlaces _places;
    private readonly EmojiDataset _data;
    private readonly EmojiCaptions _captions;
    private readonly EmojiPrompts _prompts;
    private readonly List<List<EmojiPrompt>> _shown;
    private readonly AutoencoderKl _autoencoder;
    private readonly Tokenizer _tokenizer;
    private readonly EmojiGenerator _network;
    private readonly LatentStep _step;
    private readonly Lazy<(EmojiLatents Latents, EmojiDenoisingLoss Seen, EmojiDenoisingLoss Hidden)> _encoded;

    private EmojiUnetTraining(RunFolder run, EmojiUnetOptions options, EmojiDataset data, EmojiSplits splits)
        : base(run, options.Settings)
    {
        (_options, _places, _data) = (options, new EmojiStagePlaces(options.Stages), data);
        (_captions, _prompts) = (new EmojiCaptions(data, splits), new EmojiPrompts(data, splits));
        _shown = [_prompts.Learned(ShownPerRow), _prompts.HiddenStyles(ShownPerRow), _prompts.HiddenConcepts(ShownPerRow), _prompts.HiddenSpanish(ShownPerRow)];
        _autoencoder = AutoencoderKl.Load(_places.Autoencoder, null, ComputePrecision.TypeOf(options.Precision));
        _tokenizer = Tokenizer.Load(_places.Tokenizer);
        var text = ClipTextModel.Load(_places.Text);
        _network = new EmojiGenerator(_places.Denoiser is { } denoiser ? UNet2DConditionModel.Load(denoiser) : NewDenoiser(text.Config), text);
        _step = new LatentStep(_network.Denoiser, EmojiUnetOptions.Objective);
        Trainer = new Trainer<LatentBatch>(_network, Loss, options.Trainer, ComputePrecision.TypeOf(options.Precision));
        _encoded = new(() => Encode(splits));
    }

    protected override Trainer<LatentBatch> Trainer { get; }

    /// <exception cref="BrumaException">Data, stages or folder are not usable; nothing is written then.</exception>
    public static EmojiUnetTraining Start(string folder, EmojiUnetOptions options, EmojiSplits splits)
    {
        RunFolder.CheckNew(folder);
        new EmojiStagePlaces(options.Stages).Checked();
        var data = EmojiDataset.Open(options.Data);
        var run = RunFolder.Create(folder, System.Text.Json.JsonSerializer.Serialize(options, EmojiOptionsJson.Default.EmojiUnetOptions) + "\n");
        run.WriteProvenance(options.Precision, data.Sha256);
        return Begun(new EmojiUnetTraining(run, options, data, splits));
    }

    /// <summary>From the newest checkpoint of a run under way to a model of now: some more steps in which the rate falls to 0, in a folder of their own.</summary>
    /// <param name="run">Folder of the denoiser's run, which is left as it is.</param>
    /// <exception cref="BrumaException">The run has no checkpoint yet.</exception>
    public static EmojiUnetTraining CoolDown(string folder, string run, int steps, EmojiSplits splits)
    {
        var going = RunFolder.Open(run);
        var options = EmojiOptionsJson.Read(going.Config, EmojiOptionsJson.Default.EmojiUnetOptions);
        if (going.NewestCheckpoint() is not { } newest)
            throw new BrumaException($"{run}: has no checkpoint to cool down from; let it train for some minutes first.");
        var cooling = Start(folder, options with { Steps = (int)newest.Step + steps, DecaySteps = steps, EmaDecay = EmojiUnetOptions.AverageOf(steps, options.EmaDecay), From = Path.GetFullPath(newest.Folder), FromStep = newest.Step }, splits);
        if (File.Exists(Path.Combine(run, Latents)))
            File.Copy(Path.Combine(run, Latents), Path.Combine(folder, Latents)); // the same, and minutes to encode
        return cooling;
    }

    public static EmojiUnetTraining Resume(string folder, EmojiSplits splits)
    {
        var run = RunFolder.Open(folder);
        var options = EmojiOptionsJson.Read(run.Config, EmojiOptionsJson.Default.EmojiUnetOptions);
        return Begun(new EmojiUnetTraining(run, options, EmojiDataset.Open(options.Data), splits));
    }

    /// <summary>Writes the averaged weights as a pipeline.</summary>
    public override IEnumerable<string> Finish()
    {
        var defaults = new ModelDefaults("Small pictures in the manner of emoji from English or Spanish words, trained by Bruma", null, DrawingSteps, Guidance, EmojiLatents.Side * _autoencoder.Config.Reduction, _options.Precision, _data.Index.Styles);
        EmojiPipelineFiles.Write(RunFolder.Model, [.. Trainer.Parameters.Named(Trainer.Average!)], _network, _places, (_captions.Words(), defaults));
        yield return $"model: {RunFolder.Model}";
    }

    public override void Dispose()
    {
        base.Dispose();
        if (_encoded.IsValueCreated)
        {
            _encoded.Value.Latents.Dispose();
            _encoded.Value.Seen.Dispose();
            _encoded.Value.Hidden.Dispose();
        }
        _network.Dispose();
        _autoencoder.Dispose();
        _data.Dispose();
    }

    protected override IEnumerable<LatentBatch> Batches(long first) => Prefetch.From(first, new EmojiUnetBatches(_data, _options, _encoded.Value.Latents, (_captions, _tokenizer)).At);

    /// <summary>The loss of held-out styles, of the same with captions of others, and of pictures that are learned.</summary>
    protected override IReadOnlyDictionary<string, double> Measure(long step)
    {
        var (_, seen, hidden) = _encoded.Value;
        var measures = new Dictionary<string, double>
        {
            [EmojiMeasures.Loss] = hidden.Of(_network, _step),
            ["loss_shuffled_captions"] = hidden.Of(_network, _step, hidden.Count / 2),
            ["loss_seen"] = seen.Of(_network, _step),
        };
        DrawSheet(step);
        return measures;
    }

    private static EmojiUnetTraining Begun(EmojiUnetTraining training)
    {
        training.RestoreNewest();
        if (training.Step == 0 && training._options.From is { } from)
            training.Trainer.Restore(from, training._options.FromStep);
        return training;
    }

    private UNet2DConditionModel NewDenoiser(ClipTextConfig text)
    {
        var denoiser = new UNet2DConditionModel(_options.Network(_autoencoder.Config.LatentChannels, (int)text.HiddenSize));
        using var start = HashedSeed.At(_options.Seed, Initial);
        denoiser.Initialize(start);
        return denoiser;
    }

    private (EmojiLatents Latents, EmojiDenoisingLoss Seen, EmojiDenoisingLoss Hidden) Encode(EmojiSplits splits)
    {
        RunFolder.Log("encodes the data set");
        var scenes = new EmojiScenes(_data, splits);
        var latents = EmojiLatents.Open(Path.Combine(Folder, Latents), _data, scenes, _autoencoder, (_options.Composed, _options.Seed));
        var painter = new EmojiScenePainter(_data, scenes, EmojiLatents.Side * _autoencoder.Config.Reduction);
        EmojiDenoisingLoss LossOf(List<EmojiPrompt> prompts)
        {
            using var encoded = EmojiLatents.Encode(_autoencoder, painter, prompts.Select(prompt => prompt.Scene));
            return new EmojiDenoisingLoss(encoded.to(float32).DetachFromDisposeScope(), EmojiCorpus.Ids(_tokenizer, [.. prompts.Select(prompt => prompt.Caption)]).DetachFromDisposeScope());
        }
        var hidden = _prompts.HiddenStyles(Measured);
        if (hidden.Count == 0)
            throw new BrumaException($"{_options.Data}: none of its pictures is held out, so nothing could be measured; build more concepts.");
        return (latents, LossOf(_prompts.Learned(Measured)), LossOf(hidden));
    }

    private Tensor Loss(LatentBatch batch, Generator random)
    {
        using var scope = NewDisposeScope();
        return _step.Losses(batch.Latents, _network.Read(batch.Ids), random).mean().MoveToOuterDisposeScope();
    }

    /// <summary>Row by row: learned pictures, held-out styles, held-out concepts, Spanish names of concepts that were learned in English.</summary>
    private void DrawSheet(long step)
    {
        using var scope = NewDisposeScope();
        var captions = _shown.SelectMany(row => row).Select(prompt => prompt.Caption);
        // not disposed: its parts are those in training
        var pipeline = new StableDiffusionPipeline(_network.Denoiser, _autoencoder, new PromptEncoder([new TextEncoder(_tokenizer, _network.Text)], isXl: false), EmojiUnetOptions.Scheduler);
        var samples = new StableDiffusionSamples(pipeline, new ImageRequest { Steps = DrawingSteps, GuidanceScale = Guidance });
        var rows = captions.Chunk(ShownPerRow).Select((row, i) => samples.Draw(i * ShownPerRow, row.Length, 0, row));
        PngFile.Write(Path.Combine(Folder, "samples", $"step-{step:D7}.png"), ContactSheet.Compose([.. rows.SelectMany(row => row.unbind())], ShownPerRow));
    }
}
