using static TorchSharp.torch;

namespace Bruma.Data.Emoji;

/// <summary>A colour that pictures are changed to and that prompts name.</summary>
/// <param name="Masculine">In Spanish, for <c>el</c>.</param>
/// <param name="Feminine">In Spanish, for <c>la</c>.</param>
/// <param name="Sample">A typical shade.</param>
internal sealed record NamedColour(string English, string Masculine, string Feminine, OkLch Sample)
{
    public bool IsGrey => Sample.Chroma == 0;
}

/// <summary>The one colour that most of a picture's coloured area has.</summary>
/// <param name="Hue">Its middle, in degrees.</param>
/// <param name="Lightness">Mean over the area.</param>
/// <param name="Chroma">Mean over the area.</param>
internal sealed record DominantColour(float Hue, float Lightness, float Chroma);

/// <summary>Changes the dominant colour of a picture: the only source of colours that objects do not have by nature.</summary>
internal static class EmojiRecolour
{
    private const float HalfWidth = 25; // degrees to both sides of the dominant hue
    private const float Fringe = 10; // and beyond, where the change fades out
    private const int Bins = 72;
    private const float SmallestShare = 0.6f;
    private const float SmallestCover = 0.15f; // of the opaque area
    private const float FaintestChroma = 0.03f;
    private const float TowardsSample = 0.75f; // how far lightness goes to that of the sample

    public static readonly IReadOnlyList<NamedColour> Colours =
    [
        new("red", "rojo", "roja", new(0.60f, 0.22f, 27)),
        new("orange", "naranja", "naranja", new(0.74f, 0.17f, 58)),
        new("yellow", "amarillo", "amarilla", new(0.87f, 0.17f, 86)),
        new("green", "verde", "verde", new(0.66f, 0.18f, 143)),
        new("blue", "azul", "azul", new(0.58f, 0.17f, 252)),
        new("purple", "morado", "morada", new(0.53f, 0.19f, 303)),
        new("pink", "rosa", "rosa", new(0.76f, 0.14f, 355)),
        new("brown", "marrón", "marrón", new(0.47f, 0.08f, 50)),
        new("black", "negro", "negra", new(0.22f, 0, 0)),
        new("white", "blanco", "blanca", new(0.95f, 0, 0)),
        new("grey", "gris", "gris", new(0.62f, 0, 0)),
    ];

    /// <summary>The dominant colour of a picture; null where no hue holds 60 % of what is coloured, or too little is.</summary>
    /// <param name="rgba">uint8 [4, H, W], contiguous.</param>
    public static DominantColour? Dominant(Tensor rgba)
    {
        var pixels = new Planes(rgba);
        var (mass, total, opaque) = (new float[Bins], 0f, 0f);
        var covered = 0f;
        for (var i = 0; i < pixels.Count; i++)
        {
            var alpha = pixels.Alpha(i) / 255f;
            opaque += alpha;
            var colour = pixels.Colour(i);
            if (alpha == 0 || colour.Chroma < FaintestChroma)
                continue;
            mass[(int)(colour.Hue / 360 * Bins) % Bins] += alpha * colour.Chroma;
            total += alpha * colour.Chroma;
            covered += alpha;
        }
        var reach = (int)(HalfWidth / 360 * Bins);
        var (best, share) = Enumerable.Range(0, Bins).Select(centre => (centre, Enumerable.Range(-reach, 2 * reach + 1).Sum(d => mass[(centre + d + Bins) % Bins]))).MaxBy(pair => pair.Item2);
        return total == 0 || share < SmallestShare * total || covered < SmallestCover * opaque ? null : Mean(pixels, (best + 0.5f) * 360 / Bins);
    }

    /// <summary>The name of a dominant colour.</summary>
    public static NamedColour Name(DominantColour dominant) => Colours.Where(colour => !colour.IsGrey).MinBy(colour =>
        Math.Abs(OkLch.Between(dominant.Hue, colour.Sample.Hue)) / 30 + Math.Abs(dominant.Lightness - colour.Sample.Lightness) * 2 + Math.Abs(dominant.Chroma - colour.Sample.Chroma) * 4)!;

    /// <summary>A copy whose dominant colour is another; other colours stay.</summary>
    public static Tensor Apply(Tensor rgba, DominantColour dominant, NamedColour colour)
    {
        var result = rgba.clone();
        var pixels = new Planes(result);
        for (var i = 0; i < pixels.Count; i++)
        {
            if (pixels.Alpha(i) == 0)
                continue;
            var old = pixels.Colour(i);
            var distance = Math.Abs(OkLch.Between(dominant.Hue, old.Hue));
            if (distance < HalfWidth + Fringe && old.Chroma >= FaintestChroma / 3)
                pixels.Set(i, Changed(old, dominant, colour, Math.Clamp((HalfWidth + Fringe - distance) / Fringe, 0, 1)));
        }
        return result;
    }

    /// <param name="share">1 within the dominant hues, less at their fringe.</param>
    private static OkLch Changed(OkLch old, DominantColour dominant, NamedColour colour, float share)
    {
        var strength = Math.Min(1, old.Chroma / Math.Max(dominant.Chroma, FaintestChroma)); // faint pixels, such as highlights, move less
        var lightness = Math.Clamp(old.Lightness + TowardsSample * strength * (colour.Sample.Lightness - dominant.Lightness), 0, 1);
        var chroma = old.Chroma * Math.Min(3, colour.Sample.Chroma / Math.Max(dominant.Chroma, FaintestChroma));
        var hue = colour.IsGrey ? old.Hue : old.Hue + OkLch.Between(dominant.Hue, colour.Sample.Hue);
        return new OkLch(old.Lightness + share * (lightness - old.Lightness), old.Chroma + share * (Math.Min(chroma, 0.32f) - old.Chroma), old.Hue + share * OkLch.Between(old.Hue, hue));
    }

    private static DominantColour Mean(Planes pixels, float hue)
    {
        var (weight, lightness, chroma) = (0f, 0f, 0f);
        for (var i = 0; i < pixels.Count; i++)
        {
            var colour = pixels.Colour(i);
            if (pixels.Alpha(i) == 0 || colour.Chroma < FaintestChroma || Math.Abs(OkLch.Between(hue, colour.Hue)) > HalfWidth)
                continue;
            var part = pixels.Alpha(i) / 255f * colour.Chroma;
            (weight, lightness, chroma) = (weight + part, lightness + part * colour.Lightness, chroma + part * colour.Chroma);
        }
        return new DominantColour(hue, lightness / weight, chroma / weight);
    }

    private readonly unsafe struct Planes(Tensor rgba)
    {
        private readonly byte* _pixels = (byte*)TensorMemory.Address(rgba);

        public int Count { get; } = (int)(rgba.shape[1] * rgba.shape[2]);

        public byte Alpha(int i) => _pixels[3 * Count + i];

        public OkLch Colour(int i) => OkLch.Of(_pixels[i], _pixels[Count + i], _pixels[2 * Count + i]);

        public void Set(int i, OkLch colour) => (_pixels[i], _pixels[Count + i], _pixels[2 * Count + i]) = colour.ToBytes();
    }
}
