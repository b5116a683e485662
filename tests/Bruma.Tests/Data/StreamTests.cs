using Bruma.Data;

namespace Bruma.Tests.Data;

public sealed class StreamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(1000)]
    public void Every_epoch_visits_each_example_once_in_another_order(int count)
    {
        var first = Enumerable.Range(0, count).Select(i => ShuffledOrder.At(5, i, count)).ToList();
        var second = Enumerable.Range(count, count).Select(i => ShuffledOrder.At(5, i, count)).ToList();
        Assert.Equal(Enumerable.Range(0, count), first.Order());
        Assert.Equal(Enumerable.Range(0, count), second.Order());
        if (count > 10)
            Assert.NotEqual(first, second);
    }

    [Fact]
    public void Batches_are_the_same_from_wherever_the_stream_is_entered()
    {
        using var folder = new PictureFolder(9);
        using var images = TrainingImages.Load(new ImageFolder(folder.Root), 20);
        var batches = new ImageBatches(images, new BatchOptions(4, 16, Flip: true, RandomCrop: true, Seed: 3));
        var whole = batches.From(0).Take(6).ToList();
        var late = batches.From(3).Take(3).ToList();
        foreach (var (a, b) in whole.Skip(3).Zip(late))
            Assert.True(a.Images.eq(b.Images).all().item<bool>() && a.Classes!.eq(b.Classes!).all().item<bool>());
        Assert.Equal([4, 3, 16, 16], whole[0].Images.shape);
        foreach (var batch in whole.Concat(late))
            batch.Dispose();
    }

    [Fact]
    public void A_broken_picture_is_named_and_left_out()
    {
        using var folder = new PictureFolder(3);
        File.WriteAllText(Path.Combine(folder.Root, "b", "broken.png"), "no picture");
        using var images = TrainingImages.Load(new ImageFolder(folder.Root), 8);
        Assert.Equal(6, images.Count);
        Assert.Contains("broken.png", Assert.Single(images.Skipped), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_with_no_usable_picture_is_an_error()
    {
        using var folder = new PictureFolder(0);
        File.WriteAllText(Path.Combine(folder.Root, "only.png"), "no picture");
        var error = Assert.Throws<BrumaException>(() => TrainingImages.Load(new ImageFolder(folder.Root), 8));
        Assert.Contains("only.png", error.Message, StringComparison.Ordinal);
    }
}
