using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>What a set of pictures holds, found by decoding every one.</summary>
/// <param name="Usable">Pictures that can be decoded.</param>
/// <param name="Broken">Why the others cannot, each naming its file.</param>
/// <param name="Sizes">Width and height of the usable ones.</param>
/// <param name="PerClass">Usable pictures of every class, in the order of the classes; empty without classes.</param>
/// <param name="Captioned">Usable pictures with a caption.</param>
public sealed record ImageReport(int Usable, IReadOnlyList<string> Broken, IReadOnlyList<(int Width, int Height)> Sizes, IReadOnlyList<int> PerClass, int Captioned)
{
    public static ImageReport Of(ImageSource source)
    {
        var sizes = new (int Width, int Height)?[source.Examples.Count];
        var errors = new string?[sizes.Length];
        Parallel.For(0, sizes.Length, i =>
        {
            try
            {
                using var scope = NewDisposeScope();
                var picture = source.Load(i);
                sizes[i] = ((int)picture.shape[2], (int)picture.shape[1]);
            }
            catch (BrumaException e)
            {
                errors[i] = e.Message;
            }
        });
        var usable = source.Examples.Where((_, i) => sizes[i] is not null).ToList();
        return new ImageReport(usable.Count, [.. errors.OfType<string>()], [.. sizes.OfType<(int, int)>()],
            [.. source.ClassNames.Select((_, label) => usable.Count(example => example.Class == label))], usable.Count(example => !string.IsNullOrEmpty(example.Caption)));
    }
}
