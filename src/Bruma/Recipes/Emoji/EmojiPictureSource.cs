using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Some pictures of a built data set, on white.</summary>
internal sealed class EmojiPictureSource(EmojiDataset data, IReadOnlyList<int> pictures) : ImageSource
{
    public override string Name => string.Join(", ", data.Index.Styles);

    public override string Layout => "a built data set";

    public override IReadOnlyList<ImageExample> Examples { get; } =
        [.. pictures.Select(i => new ImageExample($"{data.Index.Styles[data.Pictures[i].Style]}/{data.Concepts[data.Pictures[i].Concept].Codepoints}", data.Pictures[i].Style))];

    public override IReadOnlyList<string> ClassNames => data.Index.Styles;

    public override int Channels => 3;

    public override Tensor Load(int index)
    {
        using var scope = NewDisposeScope();
        return ImageTensor.ToBytes(EmojiPainter.Plain(data.Pixels, [pictures[index]], EmojiDataset.Size))[0].MoveToOuterDisposeScope();
    }

    public override string Sha256() => data.Sha256;
}
