using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Tests.Imaging;

public sealed class EdgeFilterTests
{
    private const int Side = 24;

    [Fact]
    public void A_step_is_one_line_and_nothing_else()
    {
        using var scope = NewDisposeScope();
        var picture = Picture((x, _) => x < 10 ? 0 : 255);
        Assert.Equal([.. Enumerable.Range(0, Side).Select(y => (9, y))], Outline(picture)); // of two places alike the first
        Assert.Equal([.. Enumerable.Range(0, Side).Select(x => (x, 9))], Outline(picture.transpose(1, 2)).OrderBy(place => place.X));
    }

    /// <summary>The step of height h has |gx| = 4h there, and |gy| = 12 where it fades by 4 a row.</summary>
    [Fact]
    public void A_fading_line_goes_on_below_the_high_threshold_and_a_faint_one_never_begins()
    {
        using var scope = NewDisposeScope();
        var fading = Picture((x, y) => x < 10 ? 100 : 100 + 60 - 2 * y);
        Assert.Equal([.. Enumerable.Range(0, Side).Where(y => 4 * (60 - 2 * y) + 6 > EdgeFilter.Low).Select(y => (10, y))], Outline(fading));
        Assert.Empty(Outline(Picture((x, _) => x < 10 ? 100 : 140))); // 4 * 40 lies between the thresholds
        Assert.Empty(Outline(Picture((_, _) => 200)));
    }

    [Fact]
    public void Colours_count_by_their_lightness()
    {
        using var scope = NewDisposeScope();
        var red = Picture((x, _) => x < 10 ? 0 : 255);
        var picture = cat([red, zeros_like(red), zeros_like(red)]); // luma 76: 4 * 76 is above the high threshold
        Assert.Equal(Side, Outline(picture).Count);
        Assert.Empty(Outline(cat([zeros_like(red), zeros_like(red), red]))); // luma 29
    }

    private static Tensor Picture(Func<int, int, int> light) => tensor([.. Enumerable.Range(0, Side * Side).Select(i => (byte)light(i % Side, i / Side))], [1, Side, Side], uint8);

    private static List<(int X, int Y)> Outline(Tensor picture) =>
        [.. EdgeFilter.Outline(picture).flatten().data<byte>().Select((value, i) => (value, i)).Where(pair => pair.value > 0).Select(pair => (pair.i % Side, pair.i / Side))];
}
