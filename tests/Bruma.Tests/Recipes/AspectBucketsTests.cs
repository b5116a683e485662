using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes;

public sealed class AspectBucketsTests
{
    [Fact]
    public void Shapes_are_those_of_kohyas_scripts()
    {
        // widths 256 to 1024 in steps of 64 with an area of at most 512 x 512, both ways round
        int[][] tall = [[256, 1024], [256, 960], [256, 896], [256, 832], [320, 768], [320, 704], [384, 640], [448, 576]];
        var expected = tall.SelectMany(shape => new[] { new PictureSize(shape[1], shape[0]), new PictureSize(shape[0], shape[1]) }).Append(new PictureSize(512, 512));
        Assert.Equal(expected.ToHashSet(), new AspectBuckets(512, 64).Shapes.ToHashSet());
    }

    [Theory]
    [InlineData(300, 300, 512, 512)]
    [InlineData(1080, 1920, 384, 640)]
    [InlineData(1000, 100, 1024, 256)]
    public void A_picture_goes_to_the_shape_of_the_nearest_proportions(int height, int width, int expectedHeight, int expectedWidth) =>
        Assert.Equal(new PictureSize(expectedHeight, expectedWidth), new AspectBuckets(512, 64).Of(height, width));

    [Fact]
    public void A_cut_keeps_the_middle_and_its_proportions()
    {
        using var scope = NewDisposeScope();
        var picture = zeros([3, 100, 180], uint8);
        picture.narrow(2, 10, 160).fill_(200); // 167 of 180 columns are kept
        var buckets = new AspectBuckets(64, 16);
        var cut = buckets.Cut(picture);
        Assert.Equal([3, 48, 80], cut.shape);
        Assert.Equal(200, cut.narrow(2, 4, 72).min().item<byte>());
    }

    [Fact]
    public void Every_epoch_has_the_batches_of_every_shape_once()
    {
        int[] counts = [5, 3, 1];
        var order = new BucketOrder(7, counts, 2);
        const int Total = 3 + 2 + 1;
        var batches = Enumerable.Range(0, 4 * Total).Select(n => order.At(n)).ToList();
        for (var epoch = 0; epoch < 4; epoch++)
        {
            var own = batches.Skip(epoch * Total).Take(Total).OrderBy(batch => batch.Bucket).ThenBy(batch => batch.Position).ToList();
            var expected = counts.SelectMany((count, bucket) => Enumerable.Range(0, (count + 1) / 2).Select(i => (bucket, (epoch * ((count + 1) / 2) + i) * 2L)));
            Assert.Equal(expected, own);
        }
        Assert.NotEqual(batches.Take(Total).Select(batch => batch.Bucket), batches.Skip(Total).Take(Total).Select(batch => batch.Bucket));
    }
}
