using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>Pictures and labels in IDX files, compressed or not, as MNIST and its kin are published.</summary>
public sealed class IdxSource : ImageSource
{
    private const int PictureMagic = 0x00000803;
    private const int LabelMagic = 0x00000801;

    private readonly byte[] _pixels;
    private readonly byte[] _labels;
    private readonly int _height;
    private readonly int _width;

    /// <param name="folder">Holds <c>PART-images-idx3-ubyte[.gz]</c> and <c>PART-labels-idx1-ubyte[.gz]</c>.</param>
    /// <param name="part"><c>train</c> or <c>t10k</c>.</param>
    /// <param name="classNames">Empty names the classes by number.</param>
    public IdxSource(string folder, string part, IReadOnlyList<string> classNames)
    {
        Name = folder;
        var (sizes, pixels) = Read(folder, $"{part}-images-idx3-ubyte", PictureMagic, 3);
        var (labelSizes, labels) = Read(folder, $"{part}-labels-idx1-ubyte", LabelMagic, 1);
        if (sizes[0] != labelSizes[0])
            throw new BrumaException($"{folder}: {sizes[0]} pictures but {labelSizes[0]} labels; the files do not belong together.");
        (_pixels, _labels, _height, _width) = (pixels, labels, sizes[1], sizes[2]);
        ClassNames = classNames.Count > 0 ? classNames : [.. Enumerable.Range(0, labels.Max() + 1).Select(label => label.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        Examples = [.. labels.Select((label, i) => new ImageExample($"{part}-{i}", label))];
    }

    public override string Name { get; }

    public override string Layout => $"IDX files, {_width}x{_height}, gray";

    public override IReadOnlyList<ImageExample> Examples { get; }

    public override IReadOnlyList<string> ClassNames { get; }

    public override int Channels => 1;

    public override Tensor Load(int index) => tensor(_pixels.AsSpan(index * _height * _width, _height * _width).ToArray(), [1, _height, _width], uint8);

    public override string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_pixels);
        hash.AppendData(_labels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static (int[] Sizes, byte[] Values) Read(string folder, string name, int magic, int dimensions)
    {
        var path = new[] { Path.Combine(folder, name + ".gz"), Path.Combine(folder, name) }.FirstOrDefault(File.Exists)
            ?? throw new BrumaException($"{Path.Combine(folder, name)}: no such file, compressed or not.");
        try
        {
            using var file = File.OpenRead(path);
            using Stream stream = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
            var header = new byte[4 + 4 * dimensions];
            stream.ReadExactly(header);
            if (BinaryPrimitives.ReadInt32BigEndian(header) != magic)
                throw new BrumaException($"{path}: begins with {BinaryPrimitives.ReadInt32BigEndian(header):x8} where an IDX file of {dimensions} dimensions has {magic:x8}.");
            var sizes = Enumerable.Range(1, dimensions).Select(i => BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4 * i))).ToArray();
            if (sizes.Any(size => size <= 0) || sizes.Aggregate(1L, (product, size) => product * size) > int.MaxValue)
                throw new BrumaException($"{path}: claims the sizes {string.Join(" x ", sizes)}; the file is damaged.");
            var values = new byte[sizes.Aggregate(1, (product, size) => product * size)];
            stream.ReadExactly(values);
            return (sizes, values);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or IOException)
        {
            throw new BrumaException($"{path}: cut off or damaged ({e.Message.TrimEnd('.')}); get the file again.", e);
        }
    }
}
