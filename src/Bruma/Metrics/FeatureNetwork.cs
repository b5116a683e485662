using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Transformers;
using Bruma.Vision;
using Bruma.Vision.Inception;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Metrics;

/// <summary>What a network says of a batch of pictures.</summary>
/// <param name="Features">fp32 [B, D].</param>
/// <param name="Logits">fp32 [B, K]; null for a network without classes.</param>
public readonly record struct FeatureBatch(Tensor Features, Tensor? Logits);

/// <summary>A network that turns pictures into vectors in which sets are compared. Numbers of different networks are not comparable, so each carries the name.</summary>
public sealed class FeatureNetwork : IDisposable
{
    private readonly Module? _module;
    private readonly Func<Tensor, Tensor> _prepare;
    private readonly Func<Tensor, FeatureBatch> _compute;

    private FeatureNetwork(string name, string hash, Module? module, Func<Tensor, Tensor> prepare, Func<Tensor, FeatureBatch> compute) =>
        (Name, Hash, _module, _prepare, _compute) = (name, hash, module, prepare, compute);

    /// <summary>For example <c>efficientnet-lite0</c>; <c>inception</c> is FID's own.</summary>
    public string Name { get; }

    /// <summary>SHA-256 of the weights; the seed of random ones.</summary>
    public string Hash { get; }

    /// <summary>Pictures that are computed together: few where activations are large, since memory beyond the allocator's heap comes back page by page.</summary>
    public int BatchSize { get; private init; } = 8;

    public bool IsInception => Name == FeatureNetworks.InceptionName;

    /// <summary>How a measure in these features is called: FID and KID with FID's Inception alone, else FD-NAME and the like.</summary>
    public string Label(string measure) => (measure, IsInception) switch
    {
        ("FD", true) => "FID",
        (_, true) => measure,
        _ => $"{measure}-{Name}",
    };

    /// <summary>From a picture of any size to the network's input; runs on any thread.</summary>
    /// <param name="picture">uint8 [1 or 3, H, W].</param>
    /// <returns>[C, S, S].</returns>
    public Tensor Prepare(Tensor picture) => _prepare(picture);

    /// <param name="batch">Prepared pictures, [B, C, S, S].</param>
    public FeatureBatch Compute(Tensor batch)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (features, logits) = _compute(batch);
        return new FeatureBatch(features.MoveToOuterDisposeScope(), logits?.MoveToOuterDisposeScope());
    }

    public void Dispose() => _module?.Dispose();

    /// <summary>The central square at 224 px, bicubic.</summary>
    public static FeatureNetwork OfEfficientNet(string folder)
    {
        var network = EfficientNetLite0.Load(folder);
        return new FeatureNetwork(EfficientNetLite0.ModelName, FileHash.Sha256(ModelFolder.FindWeights(folder)), network,
            picture => InScope(() => network.Normalize(CentralSquare.Of(picture, network.Config.ImageSize, ResampleFilter.Bicubic))),
            batch => network.Features(batch) is var features ? new FeatureBatch(features, network.Classify(features)) : default)
        { BatchSize = 4 };
    }

    /// <summary>The central square at the classifier's size, gray where it is gray.</summary>
    public static FeatureNetwork OfClassifier(string folder)
    {
        var (network, config) = SmallClassifier.Load(folder);
        return new FeatureNetwork(config.FeatureName ?? Path.GetFileName(folder.TrimEnd('/')), FileHash.Sha256(ModelFolder.FindWeights(folder)), network,
            picture => InScope(() => ImageTensor.FromBytes(Channels(CentralSquare.Of(picture, config.ImageSize, ResampleFilter.Lanczos), config.Channels))),
            batch => network.Features(batch) is var features ? new FeatureBatch(features, network.Classify(features)) : default)
        { BatchSize = 64 };
    }

    /// <summary>The whole picture at 299 px as TensorFlow resizes, whatever its shape: as FID does.</summary>
    public static FeatureNetwork OfInception(string file)
    {
        var network = FidInception.Load(file);
        return new FeatureNetwork(FeatureNetworks.InceptionName, FileHash.Sha256(file), network, FidInception.Prepare,
            batch => network.call(batch) is var output ? new FeatureBatch(output.Features, output.Unbiased) : default);
    }

    /// <summary>CLIP's projected picture vectors, not normalised.</summary>
    public static FeatureNetwork OfClip(string folder)
    {
        var network = ClipModel.Load(folder);
        var processor = ClipPictures.Processor(folder, network.Config.VisionConfig.ImageSize);
        return new FeatureNetwork($"clip-{Path.GetFileName(folder.TrimEnd('/'))}", FileHash.Sha256(ModelFolder.FindWeights(folder)), network, processor.Apply,
            batch => new FeatureBatch(network.ImageFeatures(batch), null));
    }

    /// <summary>The judge of emoji: the central square at 64 px, by areas as it was trained; its classes are concepts.</summary>
    public static FeatureNetwork OfScorer(string folder)
    {
        var network = EmojiScorerFiles.Read(folder).Network;
        return new FeatureNetwork("emoji", FileHash.Sha256(ModelFolder.FindWeights(folder)), network,
            picture => InScope(() => ImageTensor.FromBytes(Channels(CentralSquare.Of(picture, EmojiScorer.Size, ResampleFilter.Box), 3))),
            batch => network.Features(batch) is var features ? new FeatureBatch(features, network.Judge(features).Concepts) : default)
        { BatchSize = 32 };
    }

    /// <summary>An untrained network of a seed: blind to meaning, sensitive to texture, the same for every kind of picture.</summary>
    public static FeatureNetwork OfSeed(long seed)
    {
        var network = new RandomFeatures(seed);
        return new FeatureNetwork(seed == 0 ? "rand" : $"rand{seed}", $"seed {seed}", network,
            picture => InScope(() => ImageTensor.FromBytes(Channels(CentralSquare.Of(picture, RandomFeatures.Size, ResampleFilter.Bicubic), 3))),
            batch => new FeatureBatch(network.call(batch), null));
    }

    private static Tensor Channels(Tensor picture, int channels)
    {
        if (picture.shape[0] == channels)
            return picture;
        if (channels == 3)
            return picture.expand(3, -1, -1).contiguous();
        var (r, g, b) = (picture[0].to(int32), picture[1].to(int32), picture[2].to(int32));
        return ((r * 19595 + g * 38470 + b * 7471 + 0x8000) / 65536).floor().to(uint8).unsqueeze(0); // PIL's luma
    }

    private static Tensor InScope(Func<Tensor> work)
    {
        using var scope = NewDisposeScope();
        return work().MoveToOuterDisposeScope();
    }
}
