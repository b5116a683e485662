using static TorchSharp.torch;

namespace Bruma.Imaging;

/// <summary>The outline of a picture: where its lightness changes most, in lines one pixel wide.</summary>
/// <remarks>Canny 1986, with the conventions of OpenCV's function, whose pictures ControlNets of edges see: 3x3 Sobel with repeated borders, lengths |gx| + |gy|, no smoothing before.</remarks>
public static class EdgeFilter
{
    public const int Low = 100;
    public const int High = 200;

    private const byte Drawn = 255;
    private const byte Faint = 1;
    private static readonly double Flat = Math.Tan(Math.PI / 8); // slopes below it are horizontal, above its inverse vertical

    /// <param name="picture">uint8 [1 or 3, H, W].</param>
    /// <param name="low">Fainter changes are no outline.</param>
    /// <param name="high">Stronger ones always are; those between are where they go on from a stronger one.</param>
    /// <returns>uint8 [1, H, W]: 255 on the outline, else 0.</returns>
    public static unsafe Tensor Outline(Tensor picture, int low = Low, int high = High)
    {
        using var scope = NewDisposeScope();
        var gray = (picture.shape[0] == 1 ? picture : MaskImage.Gray(picture)).contiguous();
        var (height, width) = ((int)gray.shape[1], (int)gray.shape[2]);
        var slopes = Sobel(new ReadOnlySpan<byte>((void*)TensorMemory.Address(gray), height * width), height, width);
        var marks = new byte[height * width];
        var strong = new Stack<int>();
        for (var i = 0; i < marks.Length; i++)
        {
            if (slopes.Length(i) <= low || !slopes.IsCrest(i))
                continue;
            marks[i] = slopes.Length(i) > high ? Drawn : Faint;
            if (marks[i] == Drawn)
                strong.Push(i);
        }
        GoOn(marks, strong, height, width);
        return tensor(marks, [1, height, width], uint8).MoveToOuterDisposeScope();
    }

    /// <summary>Draws what touches a drawn place and forgets the other faint ones.</summary>
    private static void GoOn(byte[] marks, Stack<int> from, int height, int width)
    {
        while (from.TryPop(out var place))
            for (var y = Math.Max(place / width - 1, 0); y <= Math.Min(place / width + 1, height - 1); y++)
                for (var x = Math.Max(place % width - 1, 0); x <= Math.Min(place % width + 1, width - 1); x++)
                    if (marks[y * width + x] == Faint)
                    {
                        marks[y * width + x] = Drawn;
                        from.Push(y * width + x);
                    }
        for (var i = 0; i < marks.Length; i++)
            if (marks[i] == Faint)
                marks[i] = 0;
    }

    private static Slopes Sobel(ReadOnlySpan<byte> light, int height, int width)
    {
        var (across, down) = (new int[light.Length], new int[light.Length]);
        for (var y = 0; y < height; y++)
        {
            var (above, here, below) = (Math.Max(y - 1, 0) * width, y * width, Math.Min(y + 1, height - 1) * width);
            for (var x = 0; x < width; x++)
            {
                var (left, right) = (Math.Max(x - 1, 0), Math.Min(x + 1, width - 1));
                across[here + x] = light[above + right] - light[above + left] + 2 * (light[here + right] - light[here + left]) + light[below + right] - light[below + left];
                down[here + x] = light[below + left] - light[above + left] + 2 * (light[below + x] - light[above + x]) + light[below + right] - light[above + right];
            }
        }
        return new Slopes(across, down, height, width);
    }

    /// <summary>How the lightness changes at every place, from left to right and from top to bottom.</summary>
    private readonly record struct Slopes(int[] Across, int[] Down, int Height, int Width)
    {
        public int Length(int place) => Math.Abs(Across[place]) + Math.Abs(Down[place]);

        /// <summary>Whether no neighbour in the direction of the change is steeper; of two alike the first is the crest.</summary>
        public bool IsCrest(int place)
        {
            var (across, down, length) = (Math.Abs(Across[place]), Math.Abs(Down[place]), Length(place));
            if (down < Flat * across)
                return length > At(place, -1, 0) && length >= At(place, 1, 0);
            if (down * Flat > across)
                return length > At(place, 0, -1) && length >= At(place, 0, 1);
            var slant = (Across[place] ^ Down[place]) < 0 ? -1 : 1;
            return length > At(place, -slant, -1) && length > At(place, slant, 1);
        }

        private int At(int place, int right, int below)
        {
            var (x, y) = (place % Width + right, place / Width + below);
            return x < 0 || y < 0 || x >= Width || y >= Height ? 0 : Length(y * Width + x);
        }
    }
}
