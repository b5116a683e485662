using Bruma.Data;
using Bruma.Nn;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>Pictures into classes, with EfficientNet-lite0 or a vision transformer.</summary>
internal sealed class ImageClassificationTask : ClassificationTask
{
    private readonly ImageSource _source;
    private readonly IReadOnlyList<int> _places; // of each usable picture in the source
    private readonly Tensor _pixels; // uint8 [N, 3, S, S]
    private readonly IPictureNetwork _network;
    private readonly int _broken;

    private ImageClassificationTask(ImageSource source, (IReadOnlyList<int> Places, Tensor Pixels, int Broken) pictures, IPictureNetwork network, LabelledSplits data, FinetuneOptions options) : base(data, options)
    {
        (_source, _places, _pixels, _broken, _network) = (source, pictures.Places, pictures.Pixels, pictures.Broken, network);
        Initialize(network.Classifier, options.Seed);
    }

    /// <exception cref="BrumaException">The folder has no classes, or the model does not load.</exception>
    public static ImageClassificationTask Load(FinetuneOptions options)
    {
        var source = ImageSource.Open(options.Data);
        if (source.ClassNames.Count == 0)
            throw new BrumaException($"{options.Data}: the pictures have no classes; put those of each class into a folder of its name.");
        if (source.Examples.FirstOrDefault(example => example.Class is null) is { } without)
            throw new BrumaException($"{options.Data}: {without.Name} has no label; put it into the folder of its class.");
        var network = PictureNetworks.Load(options.Model, source.ClassNames.Count);
        var pictures = LoadPixels(source, network);
        var labels = pictures.Places.Select(place => source.Examples[place].Class!.Value).ToList();
        return new ImageClassificationTask(source, pictures, network, LabelledSplits.Create(source.ClassNames, labels, null, options), options);
    }

    public override Module Network => _network.Module;

    public override int Layers => _network.Layers;

    public override IReadOnlyList<string> Head => ["_fc.", "classifier."];

    public override IReadOnlyList<string> LoraTargets => _network.LoraTargets;

    public override IEnumerable<string> Description =>
    [
        $"{Count(Split.Train)} pictures to train on, {Count(Split.Validation)} to watch by, {Count(Split.Test)} to report on{(_broken > 0 ? $"; {_broken} broken ones are left out" : "")}; {Data.Classes.Count} classes: {string.Join(", ", Data.Classes.Take(12))}",
    ];

    protected override Linear Classifier => _network.Classifier;

    public override void Check(Strategy strategy, ScalarType precision)
    {
        if (precision != ScalarType.Float32 && !strategy.FreezesEncoder && _network.Module.modules().Any(module => module is BatchNorm2d))
            throw new BrumaException("--precision bf16: batch norms lose too much in it; say --precision fp32.");
    }

    public override string Show(int example) => _source.Examples[_places[example]].Name;

    public override string? Picture(int example) => Path.Combine(Options.Data, Show(example)) is var path && File.Exists(path) ? path : null;

    protected override TaskBatch Inputs(IReadOnlyList<int> examples, Split split)
    {
        using var scope = NewDisposeScope();
        var pixels = _pixels.index_select(0, tensor(examples.Select(example => (long)example).ToArray()));
        if (split == Split.Train)
            for (var i = 0; i < examples.Count; i++)
                if ((HashedSeed.Of(Options.Seed, 5, examples[i], Step) & 1) == 1)
                    pixels[i].copy_(pixels[i].flip(2).clone());
        return new TaskBatch(_network.Normalize(pixels).MoveToOuterDisposeScope(), Labels(examples).MoveToOuterDisposeScope(), null, null, examples.Count);
    }

    protected override Tensor Features(TaskBatch batch) => _network.Features(batch.Inputs);

    protected override Tensor Classify(Tensor features) => _network.Classify(features);

    protected override void SaveNetwork(string folder) => _network.Save(folder, Options.Model, Data.Classes);

    public override void Dispose()
    {
        _pixels.Dispose();
        base.Dispose();
    }

    private static (IReadOnlyList<int> Places, Tensor Pixels, int Broken) LoadPixels(ImageSource source, IPictureNetwork network)
    {
        using var scope = NewDisposeScope();
        var (places, pixels) = (new List<int>(), new List<Tensor>());
        for (var i = 0; i < source.Examples.Count; i++)
            try
            {
                using var picture = source.Load(i);
                pixels.Add(network.Crop(picture));
                places.Add(i);
            }
            catch (BrumaException)
            {
                // counted and told
            }
        if (places.Count == 0)
            throw new BrumaException($"{source.Name}: none of the {source.Examples.Count} pictures can be read.");
        return (places, stack(pixels).DetachFromDisposeScope(), source.Examples.Count - places.Count);
    }
}
