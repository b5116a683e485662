using Bruma.Data;
using Bruma.Nn;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>What is trained on in one pass.</summary>
/// <param name="Latents">Scaled, [B, 4, h, w].</param>
/// <param name="Pictures">What a control network sees, [B, 3, H, W] in [0, 1]; null without one.</param>
internal readonly record struct LatentBatch(Tensor Latents, IReadOnlyList<string> Captions, Tensor? Pictures);

/// <summary>The pictures of a run: those to learn, those of their class, those not to forget, and those to watch.</summary>
internal sealed class AdaptationData : IDisposable
{
    private const int FewPictures = 20;

    private readonly AdaptationOptions _options;
    private readonly Captions _captions;
    private readonly LatentSet _main;
    private readonly LatentSet? _prior;
    private readonly LatentSet? _replay;
    private readonly WideSet? _wide;
    private readonly List<int> _training;
    private readonly (List<List<int>> Parts, BucketOrder Order)? _buckets;
    private readonly AutoencoderKlConfig _codec;

    private AdaptationData(AdaptationOptions options, AutoencoderKlConfig codec, (LatentSet Main, WideSet? Wide, LatentSet? Prior, LatentSet? Replay) sets, string sum)
    {
        (_options, _codec, (_main, _wide, _prior, _replay), Sha256, _captions) = (options, codec, sets, sum, new Captions(options));
        var share = Share(options, _main.Count);
        (_training, Validation) = (HashedParts.Places(_main.Names, share, DataPart.Training), HashedParts.Places(_main.Names, share, DataPart.Validation));
        if (_training.Count == 0)
            (_training, Validation) = ([.. Enumerable.Range(0, _main.Count)], []);
        Held = _main.Count - _training.Count;
        if (!options.AspectBuckets)
            return;
        var shapes = _training.GroupBy(index => (_main.Latents[index].shape[^2], _main.Latents[index].shape[^1])).Select(group => group.ToList()).ToList();
        _buckets = (shapes, new BucketOrder(options.Seed + 3, [.. shapes.Select(shape => shape.Count)], options.BatchSize));
    }

    /// <summary>SHA-256 over names and contents.</summary>
    public string Sha256 { get; }

    public int Training => _training.Count;

    /// <summary>Pictures that are not trained on.</summary>
    public int Held { get; }

    /// <summary>Indices of the pictures to watch.</summary>
    public IReadOnlyList<int> Validation { get; }

    public IReadOnlyList<string> Skipped => [.. _main.Skipped, .. _prior?.Skipped ?? [], .. _replay?.Skipped ?? []];

    /// <summary>Pictures of the subject in a batch with prior preservation; the others are of its class.</summary>
    public int Instances => _options.BatchSize;

    /// <summary>What steers, in words; null without a control network.</summary>
    public string? Steering => _main.Pictures is not { } pictures ? null : pictures.shape[1] == 1 ? "the outlines of the pictures" : $"the pictures that metadata.jsonl names as {ControlPictures.Column}";

    /// <summary>Shapes of the pictures that are trained on.</summary>
    public int Shapes => _buckets?.Parts.Count ?? 1;

    public bool HasPrior => _prior is not null;

    public int Prior => _prior?.Count ?? 0;

    public int Replay => _replay?.Count ?? 0;

    /// <summary>Pictures to learn of which the largest square around the head is shown half of the time.</summary>
    public int Wide => _wide is null ? 0 : _training.Count(index => _wide.Find(index) is not null);

    /// <summary>Captions that say what the model shall draw, most frequent first.</summary>
    public IReadOnlyList<string> Subjects => [.. _training.Select(Asked).GroupBy(text => text).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).Select(group => group.Key)];

    /// <summary>What is watched of so many pictures: of few none can be spared.</summary>
    public static double Share(AdaptationOptions options, int pictures) => pictures < FewPictures ? 0 : options.ValidationShare;

    /// <param name="step">Sides of pictures that keep their proportions are multiples of it.</param>
    public static AdaptationData Load(AdaptationOptions options, AutoencoderKl autoencoder, LatentCache cache, string? classFolder, int step)
    {
        var (source, captions) = (ImageSource.Open(options.Data), new Captions(options));
        if (options.Recipe is AdaptationOptions.TextToImage or AdaptationOptions.Lora or AdaptationOptions.ControlNet && source.Examples.All(example => captions.Of(source, example) is null))
            throw new BrumaException($"{options.Data}: the pictures have no captions (metadata.jsonl with \"text\", .txt files beside them, or class folders); write some, or say one for all with --caption-template \"a photo of ...\".");
        var buckets = options.AspectBuckets ? new AspectBuckets(options.Resolution, step) : null;
        Func<Tensor, ImageExample, Tensor> part = buckets is null ? (picture, example) => PictureSquare.Cut(picture, example, options.Resolution) : (picture, _) => buckets.Cut(picture);
        var (cut, control) = ((part, options.Flip), ControlPictures.For(options, source));
        var sum = control?.Sum(source.Sha256()) ?? source.Sha256();
        var main = LatentSet.Load(source, example => captions.All(source, example, captions.Missing), cache, cut, control);
        var prior = classFolder is null ? null : LatentSet.Load(ImageSource.Open(classFolder), _ => [options.ClassPrompt!], cache, cut);
        LatentSet? replay = null;
        if (options.Replay is { } folder)
        {
            var (other, plain) = (ImageSource.Open(folder), new Captions(options with { InstancePrompt = null }));
            replay = LatentSet.Load(other, example => plain.All(other, example, ""), cache, cut, ControlPictures.For(options, other));
        }
        var wide = buckets is null && control is null && options is { InstancePrompt: null, Recipe: AdaptationOptions.TextToImage or AdaptationOptions.Lora } ? WideSet.Load(source, main.Names, cache, (options.Resolution, options.Flip)) : null;
        return new AdaptationData(options, autoencoder.Config, (main, wide, prior, replay), sum);
    }

    /// <summary>Micro-batch n of the stream: a pure function of (seed, n).</summary>
    /// <param name="random">Draws the latents from the autoencoder's distributions.</param>
    public LatentBatch Batch(long n, Generator random)
    {
        using var scope = NewDisposeScope();
        var replayed = _replay is null ? 0 : Math.Clamp((int)Math.Round(_options.BatchSize * _options.ReplayShare), 1, _options.BatchSize - 1);
        var (latents, captions, pictures) = (new List<Tensor>(), new List<string>(), new List<Tensor>());
        if (_buckets is { } buckets)
        {
            var (bucket, first) = buckets.Order.At(n);
            var (part, own) = (buckets.Parts[bucket], first - n * _options.BatchSize); // positions within the bucket
            Add(_main, _options.BatchSize, position => part[ShuffledOrder.At(_options.Seed, position + own, part.Count)], 0);
        }
        else
        {
            Add(_main, _options.BatchSize - replayed, position => _training[ShuffledOrder.At(_options.Seed, position, _training.Count)], 0);
        }
        if (_replay is not null)
            Add(_replay, replayed, position => ShuffledOrder.At(_options.Seed + 1, position, _replay.Count), 1);
        if (_prior is not null)
            Add(_prior, _options.BatchSize, position => ShuffledOrder.At(_options.Seed + 2, position, _prior.Count), 2);
        var distribution = stack(latents); // [B, 2, 4, h, w]
        var (mean, deviation) = (distribution.select(1, 0), distribution.select(1, 1));
        var drawn = Scaled(mean + deviation * randn(mean.shape, generator: random)).MoveToOuterDisposeScope();
        return new LatentBatch(drawn, captions, pictures.Count == 0 ? null : cat(pictures).MoveToOuterDisposeScope());

        void Add(LatentSet set, int count, Func<long, int> pick, int kind)
        {
            for (var i = 0; i < count; i++)
            {
                var position = n * count + i;
                var (index, place) = (pick(position), 4 * position + kind);
                var (shown, at) = kind == 0 && _wide?.Find(index) is { } wider && HashedSeed.Of(_options.Seed, 7, place) >> 63 == 1 ? (_wide.Set, wider) : (set, index);
                var mirrored = shown.Mirrored is not null && HashedSeed.Of(_options.Seed, 2, place) >> 63 == 1;
                latents.Add((mirrored ? shown.Mirrored! : shown.Latents)[at]);
                if (set.Pictures is { } steering)
                    pictures.Add(ControlPictures.Values(mirrored ? steering[index].flip(2) : steering[index]));
                captions.Add(kind == 2 ? set.Text(index) : _captions.Shown(shown.Captions[at], place));
            }
        }
    }

    /// <summary>The most likely latents of a watched picture, scaled, [1, 4, h, w], its caption, and what a control network sees of it, [1, 3, H, W].</summary>
    public (Tensor Latents, string Caption, Tensor? Picture) Watched(int index)
    {
        using var scope = NewDisposeScope();
        var picture = _main.Pictures is null ? null : ControlPictures.Values(_main.Pictures[index]).MoveToOuterDisposeScope();
        return (Scaled(_main.Latents[index].narrow(0, 0, 1)).MoveToOuterDisposeScope(), Asked(index), picture);
    }

    /// <summary>What a control network is shown on the sheets, uint8 [1 or 3, S, S], with the captions: watched pictures, or else the first; none without a control network.</summary>
    public IReadOnlyList<(Tensor Picture, string Caption)> Shown(int count) => _main.Pictures is null ? []
        : [.. Validation.Concat(_training).Take(count).Select(index => (_main.Pictures[index], Asked(index)))];

    public void Dispose()
    {
        _main.Dispose();
        _wide?.Dispose();
        _prior?.Dispose();
        _replay?.Dispose();
    }

    private string Asked(int index) => _captions.Asked(_main.Text(index));

    private Tensor Scaled(Tensor latents) => (latents - (_codec.ShiftFactor ?? 0)) * _codec.ScalingFactor;
}
