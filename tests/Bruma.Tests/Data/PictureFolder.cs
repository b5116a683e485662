using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Tests.Data;

/// <summary>A temporary folder of small random pictures in the classes a and b.</summary>
internal sealed class PictureFolder : IDisposable
{
    public PictureFolder(int perClass)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(1, CPU);
        foreach (var label in new[] { "a", "b" })
            for (var i = 0; i < perClass; i++)
                PngFile.Write(Path.Combine(Root, label, $"{i}.png"), randint(0, 256, [3, 24, 30], uint8, generator: generator));
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("bruma-pictures-").FullName;

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
