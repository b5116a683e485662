using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>The pictures of a built data set, on white.</summary>
internal sealed class EmojiPictureSource(EmojiDataset data) : ImageSource
{
    public override string Name => string.Join(", ", data.Index.Styles);

    public override string Layout => "a built data set";

    public override IReadOnlyList<ImageExample> Examples { get; } =
        [.. data.Pictures.Select(picture => new ImageExample($"{data.Index.Styles[picture.Style]}/{data.Concepts[picture.Concept].Codepoints}", picture.Style))];

    public override IReadOnlyList<string> ClassNames => data.Index.Styles;

    public override int Channels => 3;

    public override Tensor Load(int index)
    {
        using var scope = NewDisposeScope();
        return ImageTensor.ToBytes(EmojiPainter.Plain(data.Pixels, [index], EmojiDataset.Size))[0].MoveToOuterDisposeScope();
    }

    public override string Sha256() => data.Sha256;
}
