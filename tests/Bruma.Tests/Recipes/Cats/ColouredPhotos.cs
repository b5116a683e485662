using Bruma.Imaging;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Cats;

/// <summary>Forty small squares, red and green in turn, that every judge of colours tells apart.</summary>
internal static class ColouredPhotos
{
    public const int Count = 40;

    public static string ColourOf(int i) => i % 2 == 0 ? "red" : "green";

    /// <param name="name">Of photo i, in the folder of the photos.</param>
    /// <returns>That folder.</returns>
    public static string Write(TemporaryFolder folder, Func<int, string> name)
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < Count; i++)
        {
            var picture = full([3, 64, 64], 40 + i, uint8);
            picture[i % 2].fill_(220);
            PngFile.Write(folder[$"photos/{name(i)}"], picture);
        }
        return Path.Combine(folder.Root, "photos");
    }
}
