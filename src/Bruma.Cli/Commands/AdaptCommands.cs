using System.CommandLine;
using Bruma.Adapters;
using Bruma.Recipes;
using Bruma.Recipes.Adaptation;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma train text-to-image|lora|dreambooth|textual-inversion|controlnet</c>: adapts a text-to-image model to pictures.</summary>
internal static class AdaptCommands
{
    private static readonly Dictionary<string, (string Description, double Rate, int Batch)> Recipes = new(StringComparer.Ordinal)
    {
        [AdaptationOptions.TextToImage] = ("Train all weights of a text-to-image model on captioned pictures. Example: bruma train text-to-image --model DIR --data photos/ --output runs/full. With --recipe emoji: the model that comes with Bruma, from data to pipeline (bruma train text-to-image --recipe emoji --help)", 1e-5, 4),
        [AdaptationOptions.Lora] = ("Train a small adapter (LoRA) of a text-to-image model. Example: bruma train lora --model DIR --data photos/ --rank 8 --output runs/style", 1e-4, 4),
        [AdaptationOptions.DreamBooth] = ("Teach a model one subject from a few pictures. Example: bruma train dreambooth --model DIR --data mycat/ --instance-prompt \"a photo of sks cat\" --output runs/mycat", 5e-6, 1),
        [AdaptationOptions.TextualInversion] = ("Learn a new word for something. Example: bruma train textual-inversion --model DIR --data mycat/ --placeholder-token \"<mycat>\" --initializer-token cat --output runs/word", 5e-3, 4),
        [AdaptationOptions.ControlNet] = ("Train a network that makes a model follow outlines (ControlNet). The outlines are those of the pictures, or pictures of your own that metadata.jsonl names as conditioning_image. Example: bruma train controlnet --model DIR --data photos/ --output runs/outline", 1e-5, 4),
    };

    /// <param name="isPlan">Whether a run is only measured.</param>
    public static IEnumerable<Command> Create(bool isPlan = false) => Recipes.Select(recipe => Create(recipe.Key, recipe.Value, isPlan));

    private static Command Create(string recipe, (string Description, double Rate, int Batch) about, bool isPlan)
    {
        var defaults = new AdaptationOptions(recipe, "", "");
        var options = new AdaptOptionSet(recipe, defaults with { LearningRate = about.Rate, BatchSize = about.Batch });
        options.Output.Required = !isPlan;
        var command = new Command(recipe, isPlan ? about.Description.Replace("bruma train", "bruma plan train", StringComparison.Ordinal) : about.Description);
        foreach (var option in options.All)
            command.Options.Add(option);
        if (isPlan)
            command.SetAction(parsed => PlanCommand.Run(TrainingSession.Checked(options.Read(parsed).Checked), parsed.GetValue(options.Json)));
        else
            command.SetAction((parsed, cancellation) => TrainingSession.Start(
            () =>
            {
                var wishes = options.Read(parsed);
                return AdaptationRun.Start(parsed.GetValue(options.Output)!, TrainingSession.Checked(wishes.Checked));
            },
            parsed.GetValue(options.Json), cancellation));
        return command;
    }
}

/// <summary>The options of one recipe.</summary>
internal sealed class AdaptOptionSet
{
    private const double LoraRate = 5e-4;

    /// <summary>Flags of diffusers and kohya that ask for what happens anyway.</summary>
    private static readonly string[] AlwaysSo =
    [
        "--with-prior-preservation", "--cache-latents", "--cache-latents-to-disk", "--cache-text-encoder-outputs", "--network-train-unet-only", "--pre-compute-text-embeddings", "--save-state",
        "--allow-tf32", "--use-8bit-adam", "--enable-xformers-memory-efficient-attention", "--xformers", "--sdpa",
    ];

    /// <summary>Flags of theirs about machines and places that Bruma does not need to be told.</summary>
    private static readonly string[] WithoutEffect =
    [
        "--report-to", "--logging-dir", "--cache-dir", "--dataloader-num-workers", "--max-data-loader-n-workers", "--network-module", "--save-model-as", "--caption-extension", "--image-column",
        "--caption-column", "--conditioning-image-column", "--tracker-project-name", "--num-validation-images", "--validation-epochs", "--local-rank", "--sample-batch-size", "--optimizer-type",
    ];

    private readonly string _recipe;
    private readonly List<Option> _all = [];
    private readonly Option<string> _model;
    private readonly Option<string> _data;
    private readonly Option<int> _steps;
    private readonly Option<int?> _epochs;
    private readonly Option<int> _batchSize;
    private readonly Option<int> _accumulation;
    private readonly Option<int> _resolution;
    private readonly Option<double> _learningRate;
    private readonly Option<string> _schedule;
    private readonly Option<int> _warmup;
    private readonly Option<double> _weightDecay;
    private readonly Option<double> _clip;
    private readonly Option<double?> _ema;
    private readonly Option<int?> _rank;
    private readonly Option<int?> _networkDim;
    private readonly Option<double?> _alpha;
    private readonly Option<double> _loraDropout;
    private readonly Option<bool> _dora;
    private readonly Option<string[]> _targets;
    private readonly Option<bool> _text;
    private readonly Option<string?> _instancePrompt;
    private readonly Option<string?> _classPrompt;
    private readonly Option<string?> _classData;
    private readonly Option<int> _classImages;
    private readonly Option<double> _priorWeight;
    private readonly Option<string?> _placeholder;
    private readonly Option<string?> _initializer;
    private readonly Option<string?> _property;
    private readonly Option<int> _vectors;
    private readonly Option<string?> _template;
    private readonly Option<double> _captionDropout;
    private readonly Option<bool> _shuffle;
    private readonly Option<string?> _replay;
    private readonly Option<double> _replayShare;
    private readonly Option<double> _validation;
    private readonly Option<bool> _flip;
    private readonly Option<double?> _minSnr;
    private readonly Option<double> _offset;
    private readonly Option<int> _checkpointEvery;
    private readonly Option<int> _checkpoints;
    private readonly Option<int> _sampleEvery;
    private readonly Option<string[]> _samplePrompts;
    private readonly Option<long?> _seed;
    private readonly Option<string?> _precision;
    private readonly Option<int> _threads;
    private readonly Option<int> _evaluateSamples;
    private readonly Option<string> _chooseBy;
    private readonly Option<string> _evaluateFeatures;
    private readonly Option<bool> _checkpointing;
    private readonly Option<bool> _buckets;
    private readonly Option<int?> _reportSamples;

    public AdaptOptionSet(string recipe, AdaptationOptions defaults)
    {
        _recipe = recipe;
        Add(new Option<string?>(RecipeFlags.Option) { Description = $"Settings by name, which other options override: {string.Join(", ", RecipeFlags.Of(recipe))}.", Hidden = !RecipeFlags.Of(recipe).Any() });
        _model = Add(new Option<string>("--model", "-m") { Description = "The base: a diffusers folder or single file of Stable Diffusion 1.x, 2.x or XL, a name of bruma models list, or hf:ORG/NAME.", Required = true });
        _data = Add(new Option<string>("--data") { Description = $"Folder of pictures: metadata.jsonl, .txt captions beside them, class folders, or kohya's N_name folders; or one of {string.Join(", ", PictureSets.Names)}.", Required = true });
        Output = Add(new Option<string>("--output", "-o") { Description = "Folder of the run; must be new or empty.", Required = true });
        _steps = Number("--steps", "Optimizer updates.", defaults.Steps);
        _epochs = Add(new Option<int?>("--epochs") { Description = "Passes over the pictures, in place of --steps." });
        _batchSize = Number("--batch-size", "Pictures per micro-batch.", defaults.BatchSize);
        _accumulation = Number("--gradient-accumulation-steps", "Micro-batches per update.", defaults.GradientAccumulationSteps);
        _resolution = Number("--resolution", "Side of the pictures in pixels; 0 takes the base's.", defaults.Resolution);
        _learningRate = Number("--learning-rate", "Highest learning rate.", defaults.LearningRate);
        _schedule = Number("--lr-schedule", "constant, constant_with_warmup, linear, cosine, ...", defaults.LrSchedule);
        _warmup = Number("--lr-warmup-steps", "Updates of linear warm-up.", defaults.LrWarmupSteps);
        _weightDecay = Number("--weight-decay", "AdamW's decay.", defaults.WeightDecay);
        _clip = Number("--max-gradient-norm", "Gradients are clipped to this global norm.", defaults.MaxGradientNorm);
        _ema = Add(new Option<double?>("--ema-decay") { Description = "Averages the weights with this decay, such as 0.999." });
        _rank = Add(new Option<int?>("--rank") { Description = recipe == AdaptationOptions.DreamBooth ? "Trains a LoRA of this rank instead of all weights." : "Rank of the LoRA (default: 4)." });
        _networkDim = Add(new Option<int?>("--network-dim") { Description = "Rank as kohya's users type it: alpha is 1 then unless given.", Hidden = true });
        _alpha = Add(new Option<double?>("--alpha") { Description = "The LoRA counts alpha / rank times (default: the rank)." });
        _loraDropout = Number("--lora-dropout", "Share of a layer's inputs that the LoRA does not see.", 0.0);
        _dora = Add(new Option<bool>("--dora") { Description = "Learns lengths and directions of weights apart (DoRA)." });
        _targets = Add(new Option<string[]>("--targets") { Description = "Layers by the ends of their names, or attention, feed-forward, convolutions (default: attention).", AllowMultipleArgumentsPerToken = true });
        _text = Add(new Option<bool>("--train-text-encoder") { Description = "Adapts the text encoders as well." });
        _instancePrompt = Add(new Option<string?>("--instance-prompt") { Description = "One caption for all pictures." });
        _classPrompt = Add(new Option<string?>("--class-prompt") { Description = "Caption of pictures of the subject's class, which keep the class as it was (prior preservation)." });
        _classData = Add(new Option<string?>("--class-data") { Description = "Folder of these pictures (default: drawn with the base)." });
        _classImages = Number("--class-images", "How many of them are drawn.", defaults.ClassImages);
        _priorWeight = Number("--prior-loss-weight", "How much they count.", defaults.PriorLossWeight);
        _placeholder = Add(new Option<string?>("--placeholder-token") { Description = "The new word." });
        _initializer = Add(new Option<string?>("--initializer-token") { Description = "A word that comes near, whose vector it begins with." });
        _property = Add(new Option<string?>("--learnable-property") { Description = $"What the new word stands for: {AdaptationOptions.Thing}, or {AdaptationOptions.Style}, whose pictures may have captions of what they show (default: {AdaptationOptions.Thing})." });
        _vectors = Number("--num-vectors", "Vectors of the new word.", defaults.Vectors);
        _template = Add(new Option<string?>("--caption-template") { Description = "Caption of pictures without one; {class} stands for their folder." });
        _captionDropout = Number("--caption-dropout", "Share of examples shown without their caption.", WatchesByDefault(recipe) ? defaults.CaptionDropout : 0);
        _shuffle = Add(new Option<bool>("--shuffle-tags") { Description = "Captions are lists of tags: in another order every time." });
        _replay = Add(new Option<string?>("--replay") { Description = "Folder of other captioned pictures, so that the base is not forgotten." });
        _replayShare = Number("--replay-share", "Their share of a batch.", defaults.ReplayShare);
        _validation = Number("--validation-share", "Share of the pictures that is watched instead of trained on (from 20 pictures on; a fifth more is kept for a last test); 0 trains on all.", WatchesByDefault(recipe) ? defaults.ValidationShare : 0);
        _flip = Add(new Option<bool>("--flip") { Description = "Mirrors half of the pictures.", DefaultValueFactory = _ => defaults.Flip });
        _minSnr = Add(new Option<double?>("--min-snr-gamma") { Description = "Min-SNR loss weighting (5 is usual)." });
        _offset = Number("--noise-offset", "Offset noise.", defaults.NoiseOffset);
        _checkpointEvery = Number("--checkpoint-every", "Updates between checkpoints; the pictures to watch are measured then.", defaults.CheckpointEvery);
        _checkpoints = Number("--checkpoints-total-limit", "Checkpoints to keep; 0 keeps all.", defaults.CheckpointsTotalLimit);
        _sampleEvery = Number("--sample-every", "Updates between sample sheets; 0 draws none.", defaults.SampleEvery);
        _samplePrompts = Add(new Option<string[]>("--sample-prompts") { Description = "What the sheets show (default: the first captions).", AllowMultipleArgumentsPerToken = true });
        _seed = Add(new Option<long?>("--seed") { Description = "Seed of everything random (default: drawn and printed)." });
        _precision = Add(new Option<string?>("--precision") { Description = "bf16 or fp32 (default: bf16 where the CPU has it)." });
        _threads = Number("--threads", "Threads; 0 for all processors.", defaults.Threads);
        _evaluateSamples = Number("--evaluate-samples", "Samples to draw at every checkpoint: their KID to the watched pictures and the share of copies go to stats.jsonl; 0 draws none.", defaults.EvaluateSamples);
        _chooseBy = Number("--choose-by", "What the best step is chosen by: loss (of the watched pictures) or kid (of --evaluate-samples; steps with more than 2 % copies come last).", defaults.ChooseBy);
        _evaluateFeatures = Number("--evaluate-features", "Network that sees these samples: see bruma evaluate --features.", defaults.EvaluateFeatures);
        _checkpointing = Add(new Option<bool>("--gradient-checkpointing") { Description = "Less memory for more time; the same numbers." });
        _buckets = Add(new Option<bool>("--aspect-buckets", "--enable-bucket") { Description = "Pictures keep their proportions: batches of several shapes of about the same area, in place of squares." });
        _reportSamples = Add(new Option<int?>("--report-samples") { Description = "Samples of the report at the end, as bruma report writes it (default: 64 up to 128 px, else none); 0 writes none." });
        foreach (var name in AlwaysSo)
            Add(new Option<bool>(name) { Description = "Is always so.", Hidden = true });
        foreach (var name in WithoutEffect)
            Add(new Option<string?>(name) { Description = "Has no effect here.", Hidden = true });
        Json = Add(new Option<bool>("--json") { Description = "Progress as JSON lines." });
    }

    public IReadOnlyList<Option> All => _all;

    public Option<string> Output { get; }

    public Option<bool> Json { get; }

    public AdaptationOptions Read(ParseResult parsed)
    {
        var rank = parsed.GetValue(_rank) ?? parsed.GetValue(_networkDim) ?? (_recipe == AdaptationOptions.Lora ? 4 : 0);
        if (_recipe is AdaptationOptions.TextToImage or AdaptationOptions.TextualInversion or AdaptationOptions.ControlNet)
            rank = parsed.GetValue(_rank) is null && parsed.GetValue(_networkDim) is null ? 0 : throw new UsageException($"--rank {rank}: bruma train {_recipe} trains no LoRA; use bruma train lora.");
        var alpha = parsed.GetValue(_alpha) ?? (parsed.GetValue(_networkDim) is null ? null : 1);
        var isOpen = parsed.GetResult(_learningRate) is null or { Implicit: true };
        var rate = isOpen && rank > 0 && _recipe == AdaptationOptions.DreamBooth ? LoraRate : parsed.GetValue(_learningRate);
        return new AdaptationOptions(
            _recipe, ModelPath.FindBase(parsed.GetValue(_model)), PictureSets.Folder(parsed.GetValue(_data)!), parsed.GetValue(_steps), parsed.GetValue(_batchSize), parsed.GetValue(_accumulation), parsed.GetValue(_resolution),
            rate, parsed.GetValue(_schedule)!, parsed.GetValue(_warmup), parsed.GetValue(_weightDecay), parsed.GetValue(_clip), rank, alpha, parsed.GetValue(_loraDropout), parsed.GetValue(_dora), Targets(parsed.GetValue(_targets)),
            parsed.GetValue(_text), parsed.GetValue(_instancePrompt), parsed.GetValue(_classPrompt), parsed.GetValue(_classData), parsed.GetValue(_classImages), parsed.GetValue(_priorWeight), parsed.GetValue(_placeholder),
            parsed.GetValue(_initializer), parsed.GetValue(_vectors), parsed.GetValue(_template), parsed.GetValue(_captionDropout), parsed.GetValue(_shuffle), parsed.GetValue(_replay) is { } replay ? PictureSets.Folder(replay) : null, parsed.GetValue(_replayShare),
            parsed.GetValue(_validation), parsed.GetValue(_flip), parsed.GetValue(_minSnr), parsed.GetValue(_offset), parsed.GetValue(_ema), parsed.GetValue(_checkpointEvery), parsed.GetValue(_checkpoints), parsed.GetValue(_sampleEvery),
            parsed.GetValue(_samplePrompts) is { Length: > 0 } prompts ? prompts : null, parsed.GetValue(_seed) ?? Random.Shared.Next(), Native.Precision(parsed.GetValue(_precision)), Native.UseThreads(parsed.GetValue(_threads)), parsed.GetValue(_checkpointing))
        {
            Epochs = parsed.GetValue(_epochs),
            LearnableProperty = parsed.GetValue(_property),
            AspectBuckets = parsed.GetValue(_buckets),
            ReportSamples = parsed.GetValue(_reportSamples),
            EvaluateSamples = parsed.GetValue(_evaluateSamples),
            ChooseBy = parsed.GetValue(_chooseBy)!,
            EvaluateFeatures = parsed.GetValue(_evaluateFeatures)!,
        };
    }

    /// <summary>Recipes for many captioned pictures rather than a few of one thing.</summary>
    private static bool WatchesByDefault(string recipe) => recipe is AdaptationOptions.TextToImage or AdaptationOptions.Lora or AdaptationOptions.ControlNet;

    /// <summary>Groups of layers by name; other words stand for themselves.</summary>
    private static List<string>? Targets(string[]? names) => names is not { Length: > 0 } ? null : [.. names.SelectMany(name => name.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).SelectMany(name => name switch
    {
        "attention" => LoraTargets.Attention,
        "feed-forward" => LoraTargets.FeedForward,
        "convolutions" => LoraTargets.Convolutions,
        _ => [name],
    }).Distinct()];

    private Option<T> Number<T>(string name, string description, T byDefault) => Add(new Option<T>(name) { Description = description, DefaultValueFactory = _ => byDefault });

    private Option<T> Add<T>(Option<T> option)
    {
        _all.Add(option);
        return option;
    }
}
