using Bruma.Data.Emoji;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Puts a picture with transparency onto its ground, as numbers for a network.</summary>
internal static unsafe class EmojiPainter
{
    /// <param name="rgba">uint8 planes of 128x128: red, green, blue, alpha.</param>
    /// <param name="target">fp32 [3, size, size] in [-1, 1].</param>
    /// <param name="size">128, or 64 for means of 2x2.</param>
    public static void Paint(byte* rgba, float* target, int size, EmojiAugmentation change)
    {
        var whole = EmojiDataset.Size;
        var reduction = whole / size;
        new Span<float>(target, 3 * size * size).Clear();
        var ground = (change.Background.R, change.Background.G, change.Background.B);
        var scale = 1f / (127.5f * reduction * reduction);
        for (var y = 0; y < whole; y++)
            for (var x = 0; x < whole; x++)
            {
                var (sourceX, sourceY) = (change.Mirror ? whole - 1 - (x - change.ShiftX) : x - change.ShiftX, y - change.ShiftY);
                var colour = (uint)sourceX < (uint)whole && (uint)sourceY < (uint)whole ? Over(rgba, sourceY * whole + sourceX, change, ground) : ground;
                var place = y / reduction * size + x / reduction;
                target[place] += colour.R * scale;
                target[size * size + place] += colour.G * scale;
                target[2 * size * size + place] += colour.B * scale;
            }
        for (var i = 0; i < 3 * size * size; i++)
            target[i] -= 1;
    }

    /// <summary>Pictures on white, fp32 [N, 3, size, size] in [-1, 1].</summary>
    /// <param name="pixels">uint8 [M, 4, 128, 128].</param>
    public static Tensor Plain(Tensor pixels, IReadOnlyList<int> chosen, int size)
    {
        var result = empty([chosen.Count, 3, size, size], float32);
        var source = (byte*)TensorMemory.Address(pixels);
        var target = (float*)TensorMemory.Address(result);
        for (var i = 0; i < chosen.Count; i++)
            Paint(Picture(source, chosen[i]), target + (long)i * 3 * size * size, size, EmojiAugmentation.None);
        return result;
    }

    public static byte* Picture(byte* pixels, int index) => pixels + (long)index * 4 * EmojiDataset.Size * EmojiDataset.Size;

    private static (float R, float G, float B) Over(byte* rgba, int place, EmojiAugmentation change, (float R, float G, float B) ground)
    {
        var plane = EmojiDataset.Size * EmojiDataset.Size;
        var alpha = rgba[3 * plane + place];
        if (alpha == 0)
            return ground;
        var (r, g, b) = ((float)rgba[place], (float)rgba[plane + place], (float)rgba[2 * plane + place]);
        if (change.Colours is { } m)
            (r, g, b) = (Clamp(m[0] * r + m[1] * g + m[2] * b), Clamp(m[3] * r + m[4] * g + m[5] * b), Clamp(m[6] * r + m[7] * g + m[8] * b));
        var share = alpha / 255f;
        return (ground.R + share * (r - ground.R), ground.G + share * (g - ground.G), ground.B + share * (b - ground.B));
    }

    private static float Clamp(float value) => Math.Clamp(value, 0, 255);
}
