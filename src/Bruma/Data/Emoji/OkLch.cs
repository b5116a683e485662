namespace Bruma.Data.Emoji;

/// <summary>A colour as lightness (0 to 1), chroma (0 to about 0.3) and hue (degrees), even to the eye.</summary>
/// <remarks>Ottosson 2020, https://bottosson.github.io/posts/oklab.</remarks>
internal readonly record struct OkLch(float Lightness, float Chroma, float Hue)
{
    private static readonly float[] Linear = [.. Enumerable.Range(0, 256).Select(i => i / 255f).Select(c => c <= 0.04045f ? c / 12.92f : MathF.Pow((c + 0.055f) / 1.055f, 2.4f))];

    /// <summary>The colour's place on the axes from green to red and from blue to yellow.</summary>
    public (float A, float B) Axes
    {
        get
        {
            var (sin, cos) = MathF.SinCos(Hue * (MathF.PI / 180));
            return (Chroma * cos, Chroma * sin);
        }
    }

    public static OkLch Of(byte red, byte green, byte blue)
    {
        var (r, g, b) = (Linear[red], Linear[green], Linear[blue]);
        var l = MathF.Cbrt(0.4122214708f * r + 0.5363325363f * g + 0.0514459929f * b);
        var m = MathF.Cbrt(0.2119034982f * r + 0.6806995451f * g + 0.1073969566f * b);
        var s = MathF.Cbrt(0.0883024619f * r + 0.2817188376f * g + 0.6299787005f * b);
        var a = 1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s;
        var bb = 0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s;
        var hue = MathF.Atan2(bb, a) * (180 / MathF.PI);
        return new OkLch(0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s, MathF.Sqrt(a * a + bb * bb), hue < 0 ? hue + 360 : hue);
    }

    /// <summary>The nearest colour of a screen; what it cannot show is cut off.</summary>
    public (byte Red, byte Green, byte Blue) ToBytes()
    {
        var (a, b) = Axes;
        var l = Cube(Lightness + 0.3963377774f * a + 0.2158037573f * b);
        var m = Cube(Lightness - 0.1055613458f * a - 0.0638541728f * b);
        var s = Cube(Lightness - 0.0894841775f * a - 1.2914855480f * b);
        return (Byte(4.0767416621f * l - 3.3077115913f * m + 0.2309699292f * s), Byte(-1.2684380046f * l + 2.6097574011f * m - 0.3413193965f * s), Byte(-0.0041960863f * l - 0.7034186147f * m + 1.7076147010f * s));

        static float Cube(float x) => x * x * x;

        static byte Byte(float linear)
        {
            var c = Math.Clamp(linear, 0, 1);
            return (byte)MathF.Round(255 * (c <= 0.0031308f ? 12.92f * c : 1.055f * MathF.Pow(c, 1 / 2.4f) - 0.055f));
        }
    }

    /// <summary>The angle from one hue to another, -180 to 180.</summary>
    public static float Between(float from, float to) => MathF.IEEERemainder(to - from, 360);
}
