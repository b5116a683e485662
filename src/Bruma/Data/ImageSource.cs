using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>What is known of a picture beside its pixels.</summary>
/// <param name="Name">File name or index, for messages and hashes.</param>
/// <param name="Class">Index of its class; null without classes.</param>
/// <param name="Caption">Its text; null without one.</param>
/// <param name="Columns">Further columns of <c>metadata.jsonl</c>; null without any.</param>
/// <param name="OtherCaptions">What may be said of it instead, where its caption is the first of a list; null for nothing else.</param>
public sealed record ImageExample(string Name, int? Class = null, string? Caption = null, IReadOnlyDictionary<string, string>? Columns = null, IReadOnlyList<string>? OtherCaptions = null);

/// <summary>A set of pictures that can be read one by one.</summary>
public abstract class ImageSource
{
    /// <summary>What the user called it.</summary>
    public abstract string Name { get; }

    /// <summary>Which layout was found, in words.</summary>
    public abstract string Layout { get; }

    public abstract IReadOnlyList<ImageExample> Examples { get; }

    /// <summary>Names of the classes in the order of their indices; empty without classes.</summary>
    public abstract IReadOnlyList<string> ClassNames { get; }

    /// <summary>Channels that the pictures need: 1 or 3.</summary>
    public abstract int Channels { get; }

    /// <summary>Reads a picture at its own size.</summary>
    /// <returns>uint8 [3 or 1, H, W].</returns>
    /// <exception cref="BrumaException">The picture is broken.</exception>
    public abstract Tensor Load(int index);

    /// <summary>SHA-256 over names and contents: the same on every machine.</summary>
    public abstract string Sha256();

    /// <param name="data"><c>fashion-mnist</c>, <c>fashion-mnist-test</c>, or a folder of pictures.</param>
    public static ImageSource Open(string data)
    {
        if (data == FashionMnist.TestName)
            return FashionMnist.Test();
        if (data is FashionMnist.SourceName or "fashion_mnist")
            return FashionMnist.Train();
        if (!Directory.Exists(data))
            throw new BrumaException($"{data}: no such folder; give a folder of pictures, or {FashionMnist.SourceName}.");
        return File.Exists(Path.Combine(data, "train-images-idx3-ubyte.gz")) || File.Exists(Path.Combine(data, "train-images-idx3-ubyte"))
            ? new IdxSource(data, "train", [])
            : new ImageFolder(data);
    }
}
