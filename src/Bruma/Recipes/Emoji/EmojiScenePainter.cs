using Bruma.Data.Emoji;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Paints scenes at the size that the autoencoder takes.</summary>
internal sealed unsafe class EmojiScenePainter(EmojiDataset data, EmojiScenes scenes, int size)
{
    private const int Whole = EmojiRaster.Size;
    private const int Half = Whole / 2;

    /// <returns>fp32 [3, size, size] in [-1, 1].</returns>
    public Tensor Paint(EmojiScene scene)
    {
        using var scope = NewDisposeScope();
        var rgba = (scene.Kind == SceneKind.Toned ? data.TonedPixels : data.Pixels)[scene.Picture];
        if (scene.Kind == SceneKind.Recoloured)
            rgba = EmojiRecolour.Apply(rgba, scenes.DominantOf(scene.Picture)!, EmojiRecolour.Colours[scene.Colour]);
        if (scene.Mirror)
            rgba = rgba.flip(2);
        var canvas = Ground(scene);
        foreach (var (picture, left, top, side) in Places(scene, rgba))
            Put(canvas, picture, left, top, side);
        return (size == Whole ? canvas : nn.functional.avg_pool2d(canvas.unsqueeze(0), Whole / size).squeeze(0)).MoveToOuterDisposeScope();
    }

    private static Tensor Ground(EmojiScene scene)
    {
        if (scene.Kind != SceneKind.OnGround)
            return ones(3, Whole, Whole);
        var (red, green, blue) = EmojiRecolour.Colours[scene.Colour].Sample.ToBytes();
        return (tensor(new[] { (float)red, green, blue }) / 127.5f - 1).reshape(3, 1, 1).expand(3, Whole, Whole).contiguous();
    }

    /// <summary>Where each picture goes: left, top and side of its square.</summary>
    private IEnumerable<(Tensor Picture, int Left, int Top, int Side)> Places(EmojiScene scene, Tensor rgba)
    {
        const int Middle = Half / 2;
        (int Left, int Top)[] half = scene switch
        {
            { Kind: SceneKind.Several, Number: 2 } => [(0, Middle), (Half, Middle)],
            { Kind: SceneKind.Several, Number: 3 } => [(0, 0), (Half, 0), (Middle, Half)],
            { Kind: SceneKind.Several } => [(0, 0), (Half, 0), (0, Half), (Half, Half)],
            { Kind: SceneKind.Pair, Relation: SceneRelation.RightOf } => [(Half, Middle), (0, Middle)],
            { Kind: SceneKind.Pair, Relation: SceneRelation.Above } => [(Middle, 0), (Middle, Half)],
            { Kind: SceneKind.Pair, Relation: SceneRelation.Below } => [(Middle, Half), (Middle, 0)],
            { Kind: SceneKind.Pair } => [(0, Middle), (Half, Middle)],
            _ => [],
        };
        var side = scene.Kind == SceneKind.Resized ? Whole * scene.Number / 100 : Whole;
        if (half.Length == 0)
            yield return (rgba, (Whole - side) / 2, (Whole - side) / 2, side);
        for (var i = 0; i < half.Length; i++)
            yield return (scene.Kind == SceneKind.Pair && i == 1 ? data.Pixels[scene.Other] : rgba, half[i].Left, half[i].Top, Half);
    }

    /// <summary>Over the canvas, scaled by areas with alpha as weight; what lies outside is cut off.</summary>
    private static void Put(Tensor canvas, Tensor rgba, int left, int top, int side)
    {
        using var scope = NewDisposeScope();
        var straight = rgba.to(float32);
        var alpha = straight.narrow(0, 3, 1) / 255;
        var weighted = cat([(straight.narrow(0, 0, 3) / 127.5 - 1) * alpha, alpha]).unsqueeze(0);
        var scaled = (side == Whole ? weighted : side * 2 == Whole ? nn.functional.avg_pool2d(weighted, 2) : nn.functional.interpolate(weighted, [side, side], mode: InterpolationMode.Bilinear, align_corners: false)).squeeze(0);
        var (x, y) = (Math.Max(left, 0), Math.Max(top, 0));
        var (width, height) = (Math.Min(left + side, Whole) - x, Math.Min(top + side, Whole) - y);
        var part = scaled.narrow(1, y - top, height).narrow(2, x - left, width);
        var target = canvas.narrow(1, y, height).narrow(2, x, width);
        target.mul_(1 - part.narrow(0, 3, 1)).add_(part.narrow(0, 0, 3));
    }
}
