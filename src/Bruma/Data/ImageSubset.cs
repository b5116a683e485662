using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>Some pictures of another source.</summary>
/// <param name="whole">The source.</param>
/// <param name="indices">Which, in the order that they shall have.</param>
/// <param name="what">For people: which part this is.</param>
public sealed class ImageSubset(ImageSource whole, IReadOnlyList<int> indices, string what) : ImageSource
{
    public override string Name => $"{whole.Name} ({what})";

    public override string Layout => whole.Layout;

    public override IReadOnlyList<ImageExample> Examples { get; } = [.. indices.Select(index => whole.Examples[index])];

    public override IReadOnlyList<string> ClassNames => whole.ClassNames;

    public override int Channels => whole.Channels;

    public override Tensor Load(int index) => whole.Load(indices[index]);

    public override string Sha256() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{whole.Sha256()} {string.Join(' ', indices)}")));

    /// <summary>Parts the pictures by the first byte of the SHA-256 of their names, which no order or count changes.</summary>
    /// <param name="share">Of the pictures that go into the second part, 0 to 1.</param>
    public static (ImageSubset Kept, ImageSubset Part) Split(ImageSource source, double share)
    {
        var isPart = source.Examples.Select(example => SHA256.HashData(Encoding.UTF8.GetBytes(example.Name))[0] < share * 256).ToList();
        return (new ImageSubset(source, Where(false), "for training"), new ImageSubset(source, Where(true), "held out"));

        List<int> Where(bool part) => [.. Enumerable.Range(0, isPart.Count).Where(i => isPart[i] == part)];
    }
}
