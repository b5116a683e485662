using Bruma.Data;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Captioned pictures as latents in memory.</summary>
internal sealed class LatentSet : IDisposable
{
    private LatentSet(IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<string>> captions, IReadOnlyList<Tensor> latents, IReadOnlyList<Tensor>? mirrored, Tensor? pictures, IReadOnlyList<string> skipped) =>
        (Names, Captions, Latents, Mirrored, Pictures, Skipped) = (names, captions, latents, mirrored, pictures, skipped);

    public IReadOnlyList<string> Names { get; }

    /// <summary>All that may be said of each picture; at least one caption.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Captions { get; }

    /// <summary>The plainest caption of a picture.</summary>
    public string Text(int index) => Captions[index][0];

    /// <summary>Mean and deviation of each picture, unscaled, [2, 4, h, w].</summary>
    public IReadOnlyList<Tensor> Latents { get; }

    /// <summary>The same of the mirrored pictures; null where none are mirrored.</summary>
    public IReadOnlyList<Tensor>? Mirrored { get; }

    /// <summary>What a control network sees, uint8 [N, 1 or 3, S, S]; null without one.</summary>
    public Tensor? Pictures { get; }

    /// <summary>Why pictures were left out.</summary>
    public IReadOnlyList<string> Skipped { get; }

    public int Count => Names.Count;

    /// <param name="captions">Of an example, at least one.</param>
    /// <param name="cut">What of a picture is trained on, uint8 [3, H, W], and whether half of them are mirrored.</param>
    /// <param name="control">Makes what a control network sees; null for none.</param>
    /// <exception cref="BrumaException">No picture is usable.</exception>
    public static LatentSet Load(ImageSource source, Func<ImageExample, IReadOnlyList<string>> captions, LatentCache cache, (Func<Tensor, ImageExample, Tensor> Part, bool Flip) cut, ControlPictures? control = null)
    {
        var (part, flip) = cut;
        var (names, said, latents, mirrored, pictures, skipped) = (new List<string>(), new List<IReadOnlyList<string>>(), new List<Tensor>(), new List<Tensor>(), new List<Tensor>(), new List<string>());
        using var scope = NewDisposeScope();
        for (var i = 0; i < source.Examples.Count; i++)
        {
            using var inner = NewDisposeScope();
            try
            {
                var picture = source.Load(i);
                var pixels = part(picture, source.Examples[i]);
                var shown = control?.Of(source.Examples[i], picture, pixels); // may refuse, before anything is kept
                latents.Add(cache.Get(pixels).DetachFromDisposeScope());
                if (shown is not null)
                    pictures.Add(shown.MoveToOuterDisposeScope());
                if (flip)
                    mirrored.Add(cache.Get(pixels.flip(2)).DetachFromDisposeScope());
            }
            catch (BrumaException e)
            {
                skipped.Add(e.Message);
                continue;
            }
            names.Add(source.Examples[i].Name);
            said.Add(captions(source.Examples[i]));
        }
        if (names.Count == 0)
            throw new BrumaException($"{source.Name}: none of its {source.Examples.Count} pictures can be decoded; the first: {skipped[0]}");
        return new LatentSet(names, said, latents, flip ? mirrored : null, control is null ? null : stack(pictures).DetachFromDisposeScope(), skipped);
    }

    public void Dispose()
    {
        foreach (var latents in Latents.Concat(Mirrored ?? []))
            latents.Dispose();
        Pictures?.Dispose();
    }
}
