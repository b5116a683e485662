using Bruma.Nn;

namespace Bruma.Recipes.Emoji;

/// <summary>How one picture is changed before training sees it.</summary>
/// <param name="ShiftX">Pixels to the right, at 128 px.</param>
/// <param name="Mirror">Left and right swapped.</param>
/// <param name="Background">Red, green, blue, 0 to 255.</param>
/// <param name="Colours">A matrix on red, green, blue, row by row; null leaves the colours.</param>
internal sealed record EmojiAugmentation(int ShiftX, int ShiftY, bool Mirror, (float R, float G, float B) Background, float[]? Colours)
{
    private const int MostShift = 8;
    private const double RecolouredShare = 0.3;
    private const double BackgroundShare = 0.3;

    /// <summary>As it is, on white.</summary>
    public static readonly EmojiAugmentation None = new(0, 0, false, (255, 255, 255), null);

    private static readonly int[][] Orders = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

    /// <summary>For the autoencoder: any colour on any ground.</summary>
    public static EmojiAugmentation Draw(HashedDraws draws) => new(
        draws.Below(2 * MostShift + 1) - MostShift,
        draws.Below(2 * MostShift + 1) - MostShift,
        draws.Chance(0.5),
        draws.Chance(BackgroundShare) ? (255 * (float)draws.Next(), 255 * (float)draws.Next(), 255 * (float)draws.Next()) : (255, 255, 255),
        draws.Chance(RecolouredShare) ? (draws.Chance(0.5) ? Permutation(draws.Of(Orders)) : Rotation(2 * Math.PI * draws.Next())) : null);

    /// <summary>For what looks at pictures: small changes that keep the meaning, mirror images only where they mean the same.</summary>
    public static EmojiAugmentation DrawGentle(HashedDraws draws, bool mayMirror) => new(
        draws.Below(2 * MostShift + 1) - MostShift,
        draws.Below(2 * MostShift + 1) - MostShift,
        mayMirror && draws.Chance(0.5),
        (255, 255, 255),
        draws.Chance(RecolouredShare) ? Rotation(0.35 * (draws.Next() - 0.5)) : null);

    private static float[] Permutation(int[] order)
    {
        var matrix = new float[9];
        for (var row = 0; row < 3; row++)
            matrix[3 * row + order[row]] = 1;
        return matrix;
    }

    /// <summary>A turn of the hue that keeps luma (the matrix of SVG's hueRotate).</summary>
    private static float[] Rotation(double angle)
    {
        var (sin, cos) = ((float)Math.Sin(angle), (float)Math.Cos(angle));
        return
        [
            0.213f + cos * 0.787f - sin * 0.213f, 0.715f - cos * 0.715f - sin * 0.715f, 0.072f - cos * 0.072f + sin * 0.928f,
            0.213f - cos * 0.213f + sin * 0.143f, 0.715f + cos * 0.285f + sin * 0.140f, 0.072f - cos * 0.072f - sin * 0.283f,
            0.213f - cos * 0.213f - sin * 0.787f, 0.715f - cos * 0.715f + sin * 0.715f, 0.072f + cos * 0.928f + sin * 0.072f,
        ];
    }
}
