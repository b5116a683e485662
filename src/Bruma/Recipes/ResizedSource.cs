using Bruma.Data;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>The central square of every picture of a source at one size, bilinear as torch-fidelity does.</summary>
internal sealed class ResizedSource(ImageSource whole, int size) : ImageSource
{
    public override string Name => whole.Name;

    public override string Layout => whole.Layout;

    public override IReadOnlyList<ImageExample> Examples => whole.Examples;

    public override IReadOnlyList<string> ClassNames => whole.ClassNames;

    public override int Channels => whole.Channels;

    public override Tensor Load(int index)
    {
        using var picture = whole.Load(index);
        return CentralSquare.Of(picture, size, ResampleFilter.Bilinear);
    }

    public override string Sha256() => $"{whole.Sha256()} at {size}";
}
