using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>A picture with the record of how it came about. Plain memory: nothing to dispose.</summary>
public sealed class GeneratedImage
{
    private readonly byte[] _bytes;
    private readonly Lazy<IReadOnlyDictionary<string, string>> _text;

    /// <param name="pixels">uint8 [3, H, W].</param>
    internal GeneratedImage(Tensor pixels, string prompt, ImageRequest request, PictureSize first, StableDiffusionPipeline pipeline, StableDiffusionPipeline? refiner)
    {
        using var scope = NewDisposeScope();
        (Height, Width) = ((int)pixels.shape[1], (int)pixels.shape[2]);
        _bytes = [.. pixels.contiguous().data<byte>()];
        (Prompt, Seed) = (prompt, request.Seed);
        Record = GenerationRecord.Of(prompt, request, first, pipeline, refiner);
        _text = new(() => ParametersWriter.Write(Record.Hashed()));
    }

    public int Width { get; }

    public int Height { get; }

    public string Prompt { get; }

    public long Seed { get; }

    /// <summary>Everything that it takes to draw it again.</summary>
    public GenerationRecord Record { get; }

    /// <summary>What a PNG carries: A1111's <c>parameters</c> with Bruma's record at the end.</summary>
    public IReadOnlyDictionary<string, string> Text => _text.Value;

    /// <returns>uint8 [3, H, W].</returns>
    public Tensor ToTensor() => tensor(_bytes, [3, Height, Width]);

    /// <summary>Writes a PNG with the record in it.</summary>
    public void Save(string path)
    {
        using var pixels = ToTensor();
        PngFile.Write(path, pixels, Text);
    }

    /// <summary>The bytes of that PNG.</summary>
    public byte[] ToPng()
    {
        using var pixels = ToTensor();
        return PngFile.ToBytes(pixels, Text);
    }
}
