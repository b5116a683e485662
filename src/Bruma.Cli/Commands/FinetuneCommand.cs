using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bruma.Recipes.Finetuning;
using Bruma.Training;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma finetune</c>: adapts a pretrained network to a task.</summary>
internal static class FinetuneCommand
{
    private const int FindSteps = 100;

    public static Command Create()
    {
        var settings = new FinetuneSettings();
        var output = new Option<string>("--output", "-o") { Description = "Folder of the run; must be new or empty.", Required = true };
        var find = new Option<bool>("--find-lr") { Description = $"Train {FindSteps} steps with a growing rate instead, and write find-lr.png." };
        var json = new Option<bool>("--json") { Description = "Progress as JSON lines." };
        var command = new Command("finetune", "Adapt a pretrained network to your texts or pictures. Example: bruma finetune all-MiniLM-L6-v2 --data reviews.csv --strategy lora --output runs/reviews") { output, find, json };
        settings.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var folder = parsed.GetValue(output)!;
            return parsed.GetValue(find)
                ? Task.Factory.StartNew(() => Find(folder, settings.Read(parsed), parsed.GetValue(json)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                : TrainingSession.Start(() => FinetuneTraining.Start(folder, settings.Read(parsed)), parsed.GetValue(json), cancellation);
        });
        return command;
    }

    private static int Find(string folder, FinetuneOptions options, bool json)
    {
        var points = new List<(double Rate, double Loss)>();
        foreach (var (rate, loss) in FinetuneTraining.FindRate(options, FindSteps))
        {
            points.Add((rate, loss));
            if (json)
                Console.WriteLine(JsonSerializer.Serialize(new { learning_rate = rate, loss }));
        }
        var range = LearningRateRange.Of(points);
        var picture = Path.Combine(folder, "find-lr.png");
        Directory.CreateDirectory(folder);
        range.Plot(picture);
        (json ? Console.Error : Console.Out).WriteLine(string.Create(CultureInfo.InvariantCulture, $"the loss falls fastest at {range.Steepest:0.0e+00} and is lowest at {range.Lowest:0.0e+00}; try --learning-rate {range.Suggested:0.0e+00} ({picture})"));
        return 0;
    }
}

/// <summary>The options that finetune and compare finetune share.</summary>
internal sealed class FinetuneSettings
{
    private static readonly FinetuneOptions Defaults = new("", "");

    private readonly Argument<string?> _model = new("model") { Description = "Folder of the pretrained network, or a name such as all-MiniLM-L6-v2 or efficientnet-lite0 (default: by the task).", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _modelOption = new("--model", "-m") { Description = "The same as the first argument." };
    private readonly Option<string> _data = new("--data") { Description = "Labelled texts (.jsonl, .csv, .tsv with text and label; a folder of .txt files per class; a folder with train and test tables), a plain text file, or a folder of pictures per class.", Required = true };
    private readonly Option<string> _test = new("--test") { Description = "Examples for the report only (default: a test table beside the data, else --test-share).", DefaultValueFactory = _ => "" };
    private readonly Option<string> _task = new("--task") { Description = $"{string.Join(", ", FinetuneTasks.Names)} (default: what the data look like).", DefaultValueFactory = _ => "" };
    private readonly Option<string> _strategy = new("--strategy") { Description = $"What is trained: {string.Join(", ", Strategies.Names)}.", DefaultValueFactory = _ => Defaults.Strategy };
    private readonly Option<int> _epochs = Number("--epochs", "Passes over the examples.", Defaults.Epochs);
    private readonly Option<int> _batch = Number("--batch-size", "Examples per micro-batch.", Defaults.BatchSize);
    private readonly Option<int> _accumulation = Number("--gradient-accumulation-steps", "Micro-batches per update.", Defaults.GradientAccumulationSteps);
    private readonly Option<double> _rate = Number("--learning-rate", "Highest learning rate (default: the strategy's own; --find-lr looks for one).", Defaults.LearningRate);
    private readonly Option<string> _schedule = new("--lr-schedule") { Description = $"{string.Join(", ", LearningRateSchedule.Names.Where(name => name != "noam"))}.", DefaultValueFactory = _ => Defaults.LrSchedule };
    private readonly Option<double> _warmup = Number("--lr-warmup", "Share of the run that warms up.", Defaults.LrWarmup);
    private readonly Option<double> _decay = Number("--weight-decay", "AdamW's decay; norms and biases have none.", Defaults.WeightDecay);
    private readonly Option<double> _clip = Number("--max-gradient-norm", "Gradients are clipped to this global norm.", Defaults.MaxGradientNorm);
    private readonly Option<double> _layerDecay = Number("--layer-decay", "Factor on the rate from each layer to the one below.", Defaults.LayerDecay);
    private readonly Option<int> _rank = Number("--rank", "LoRA's rank.", Defaults.LoraRank);
    private readonly Option<double> _alpha = Number("--alpha", "LoRA's alpha.", Defaults.LoraAlpha);
    private readonly Option<double> _loraDropout = Number("--lora-dropout", "Dropout before LoRA's layers.", Defaults.LoraDropout);
    private readonly Option<string> _targets = new("--targets") { Description = "Layers with LoRA, comma-separated ends of names (default: query,value).", DefaultValueFactory = _ => "" };
    private readonly Option<int> _length = Number("--max-length", "Tokens of a text at most; what is cut is counted.", Defaults.MaxLength);
    private readonly Option<string> _pooling = new("--pooling") { Description = "How tokens become one vector: mean, first, max, pooler (default: the model's own).", DefaultValueFactory = _ => "" };
    private readonly Option<int> _patience = Number("--patience", "Epochs without a better validation score after which it stops and keeps the best; 0 never.", Defaults.Patience);
    private readonly Option<double?> _validation = new("--validation-share") { Description = "Share of the training examples kept to watch by." };
    private readonly Option<double> _testShare = Number("--test-share", "Share kept for the report where there is no test file.", Defaults.TestShare);
    private readonly Option<string> _weights = new("--class-weights") { Description = "none, or balanced: rare classes count more.", DefaultValueFactory = _ => Defaults.ClassWeights };
    private readonly Option<double> _dropout = Number("--dropout", "Dropout of network and head; negative keeps the network's own.", Defaults.Dropout);
    private readonly Option<double> _c = Number("--regularization", "Inverse strength of the probe's regularisation (scikit-learn's C); 0 chooses it by cross-validation.", Defaults.C);
    private readonly Option<int> _checkpoint = Number("--checkpoint-every", "Updates between checkpoints.", Defaults.CheckpointEvery);
    private readonly Option<bool> _checkpointing = new("--gradient-checkpointing") { Description = "Less memory for more time; the same numbers." };
    private readonly Option<long?> _seed = new("--seed") { Description = "Seed of split, order, dropout and new weights (default: 0)." };
    private readonly Option<string?> _precision = new("--precision") { Description = "bf16 or fp32 (default: bf16 for texts where the CPU has it, fp32 for pictures)." };
    private readonly Option<int> _threads = Number("--threads", "Threads; 0 for all processors.", Defaults.Threads);

    public void AddTo(Command command)
    {
        command.Arguments.Add(_model);
        foreach (var option in new Option[]
        {
            _modelOption, _data, _test, _task, _strategy, _epochs, _batch, _accumulation, _rate, _schedule, _warmup, _decay, _clip, _layerDecay, _rank, _alpha, _loraDropout, _targets, _length, _pooling,
            _patience, _validation, _testShare, _weights, _dropout, _c, _checkpoint, _checkpointing, _seed, _precision, _threads,
        })
            command.Options.Add(option);
    }

    public FinetuneOptions Read(ParseResult parsed, double validationShare = 0.1)
    {
        var data = parsed.GetValue(_data)!;
        var task = parsed.GetValue(_task)! is { Length: > 0 } named ? named : FinetuneTasks.Guess(data);
        var pictures = task == FinetuneTasks.ImageClassification;
        var model = TextModels.Find(parsed.GetValue(_model) ?? parsed.GetValue(_modelOption), pictures ? "efficientnet-lite0" : TextModels.Sentences);
        return TrainingSession.Checked(new FinetuneOptions(model, data, task, parsed.GetValue(_test)!, parsed.GetValue(_testShare), parsed.GetValue(_validation) ?? validationShare, parsed.GetValue(_strategy)!,
            parsed.GetValue(_epochs), parsed.GetValue(_batch), parsed.GetValue(_accumulation), parsed.GetValue(_rate), parsed.GetValue(_schedule)!, parsed.GetValue(_warmup), parsed.GetValue(_decay), parsed.GetValue(_clip),
            parsed.GetValue(_layerDecay), parsed.GetValue(_rank), parsed.GetValue(_alpha), parsed.GetValue(_loraDropout), parsed.GetValue(_targets)!, parsed.GetValue(_length), parsed.GetValue(_pooling)!, parsed.GetValue(_patience),
            parsed.GetValue(_weights)!, parsed.GetValue(_dropout), parsed.GetValue(_c), parsed.GetValue(_checkpoint), parsed.GetValue(_checkpointing), parsed.GetValue(_seed) ?? 0,
            parsed.GetValue(_precision) is null && pictures ? "fp32" : Native.Precision(parsed.GetValue(_precision)), Native.UseThreads(parsed.GetValue(_threads))).Checked);
    }

    private static Option<T> Number<T>(string name, string description, T byDefault) => new(name) { Description = description, DefaultValueFactory = _ => byDefault };
}
