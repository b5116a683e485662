using Bruma.Data;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Captioned pictures as latents in memory.</summary>
internal sealed class LatentSet : IDisposable
{
    private LatentSet(IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<string>> captions, Tensor latents, Tensor? mirrored, IReadOnlyList<string> skipped) =>
        (Names, Captions, Latents, Mirrored, Skipped) = (names, captions, latents, mirrored, skipped);

    public IReadOnlyList<string> Names { get; }

    /// <summary>All that may be said of each picture; at least one caption.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Captions { get; }

    /// <summary>The plainest caption of a picture.</summary>
    public string Text(int index) => Captions[index][0];

    /// <summary>Mean and deviation, unscaled, [N, 2, 4, h, w].</summary>
    public Tensor Latents { get; }

    /// <summary>The same of the mirrored pictures; null where none are mirrored.</summary>
    public Tensor? Mirrored { get; }

    /// <summary>Why pictures were left out.</summary>
    public IReadOnlyList<string> Skipped { get; }

    public int Count => Names.Count;

    /// <param name="captions">Of an example, at least one.</param>
    /// <param name="size">Side of the pictures in pixels.</param>
    /// <exception cref="BrumaException">No picture is usable.</exception>
    public static LatentSet Load(ImageSource source, Func<ImageExample, IReadOnlyList<string>> captions, LatentCache cache, int size, bool flip)
    {
        var (names, said, latents, mirrored, skipped) = (new List<string>(), new List<IReadOnlyList<string>>(), new List<Tensor>(), new List<Tensor>(), new List<string>());
        using var scope = NewDisposeScope();
        for (var i = 0; i < source.Examples.Count; i++)
        {
            using var inner = NewDisposeScope();
            try
            {
                var picture = source.Load(i);
                var pixels = PictureSquare.Cut(picture.shape[0] == 1 ? picture.expand(3, -1, -1) : picture, source.Examples[i], size);
                latents.Add(cache.Get(pixels).MoveToOuterDisposeScope());
                if (flip)
                    mirrored.Add(cache.Get(pixels.flip(2)).MoveToOuterDisposeScope());
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
        return new LatentSet(names, said, stack(latents).DetachFromDisposeScope(), flip ? stack(mirrored).DetachFromDisposeScope() : null, skipped);
    }

    public void Dispose()
    {
        Latents.Dispose();
        Mirrored?.Dispose();
    }
}
