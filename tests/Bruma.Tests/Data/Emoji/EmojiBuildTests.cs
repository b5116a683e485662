using Bruma.Data.Emoji;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Data.Emoji;

public sealed class EmojiBuildTests
{
    private static bool HasRenderer => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "rsvg-convert")));

    [Fact]
    public void Icons_find_their_concepts_and_digits_are_no_thumbs()
    {
        Assert.SkipUnless(HasRenderer, "needs rsvg-convert (Debian: librsvg2-bin)");
        using var folder = new TemporaryFolder();
        var modules = EmojiPackagesFixture.Write(folder);
        using var data = EmojiBuild.Run(folder["built/x"][..^2], new EmojiBuildOptions([Package("noto"), Package("fxemoji")], modules));

        Assert.Equal(["1f431", "1f34e", "1f44d", "2764"], data.Concepts.Select(concept => concept.Codepoints)); // no flag
        Assert.Equal([new EmojiPicture(0, 0), new EmojiPicture(0, 2), new EmojiPicture(1, 0), new EmojiPicture(1, 2)], data.Pictures);
        Assert.Equal([new EmojiPicture(0, 2, Tone: 5)], data.Index.Toned);
        Assert.Equal([255, 255, 0, 0], Corner(data, 0)[0]); // left half red and opaque, right half clear
        Assert.True(EmojiBuild.IsBuilt(folder["built/x"][..^2], new EmojiBuildOptions([Package("noto"), Package("fxemoji")])));

        static EmojiPackage Package(string name) => new($"@iconify-json/{name}", "1.0.0", name, "MIT", "nobody", "nowhere");
    }

    [Fact]
    public void A_missing_package_is_named()
    {
        Assert.SkipUnless(HasRenderer, "needs rsvg-convert (Debian: librsvg2-bin)");
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<BrumaException>(() => EmojiBuild.Run(folder.Root, new EmojiBuildOptions(EmojiPackages.Trained, folder.Root)));
        Assert.Contains("@iconify-json/noto", error.Message);
    }

    /// <summary>Alpha of four places along the middle row.</summary>
    private static int[][] Corner(EmojiDataset data, int picture)
    {
        using var scope = NewDisposeScope();
        return [[.. new[] { 1, 60, 70, 126 }.Select(x => (int)data.Pixels[picture, 3, 64, x].item<byte>())]];
    }
}
