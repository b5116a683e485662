using Bruma.Data.Emoji;
using Bruma.Nn;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Latents with a caption each.</summary>
/// <param name="Latents">fp32 [B, C, 16, 16].</param>
/// <param name="Ids">int64 [B, 32].</param>
public sealed record LatentBatch(Tensor Latents, Tensor Ids) : IDisposable
{
    public void Dispose()
    {
        Latents.Dispose();
        Ids.Dispose();
    }
}

/// <summary>What the denoiser sees: pictures alone, later also compositions, each time with another caption.</summary>
internal sealed class EmojiUnetBatches
{
    /// <summary>People are a quarter of all emoji; without a limit they would be a quarter of what is learned.</summary>
    private const double MostPeople = 0.15;

    private readonly EmojiUnetOptions _options;
    private readonly EmojiLatents _latents;
    private readonly (EmojiCaptions Grammar, Tokenizer Tokenizer) _text;
    private readonly List<int> _people;
    private readonly List<int> _others;
    private readonly double _peopleShare;

    public EmojiUnetBatches(EmojiDataset data, EmojiUnetOptions options, EmojiLatents latents, (EmojiCaptions Grammar, Tokenizer Tokenizer) text)
    {
        (_options, _latents, _text) = (options, latents, text);
        var parts = Enumerable.Range(0, latents.Plain).ToLookup(i => data.Concepts[data.Pictures[latents.Scene(i).Picture].Concept].Group == "people-body");
        (_people, _others) = ([.. parts[true]], [.. parts[false]]);
        _peopleShare = _others.Count == 0 ? 1 : Math.Min(MostPeople, (double)_people.Count / latents.Plain);
    }

    /// <summary>Batch n of the stream, a pure function of n.</summary>
    public LatentBatch At(long n)
    {
        using var scope = NewDisposeScope();
        var (places, captions) = (new long[_options.BatchSize], new string[_options.BatchSize]);
        for (var i = 0; i < places.Length; i++)
        {
            var example = n * places.Length + i;
            var draws = new HashedDraws(_options.Seed, 23, example);
            var place = Place(example, draws);
            (places[i], captions[i]) = (place, draws.Chance(_options.CaptionDropout) ? "" : _text.Grammar.Of(_latents.Scene(place), draws));
        }
        return new LatentBatch(_latents.Values.index_select(0, tensor(places)).to(float32).DetachFromDisposeScope(), EmojiCorpus.Ids(_text.Tokenizer, captions).DetachFromDisposeScope());
    }

    private int Place(long example, HashedDraws draws)
    {
        if (draws.Chance(_options.ComposedShare) && example >= _options.ComposedFrom && _latents.Composed > 0)
            return _latents.ComposedAt(draws.Below(_latents.Composed));
        var plain = draws.Of(draws.Chance(_peopleShare) ? _people : _others);
        return draws.Chance(0.5) ? _latents.MirrorOf(plain) : plain;
    }
}
