using System.Text;

namespace Bruma.Hub;

/// <summary>Opens a file of weights by what it contains; its extension does not matter.</summary>
public static class CheckpointFile
{
    private static readonly (byte[] Start, string What)[] Others =
    [
        ("version https://git-lfs"u8.ToArray(), "a Git LFS pointer instead of the file itself; fetch it with \"git lfs pull\" or download it from the model's page"),
        ("GGUF"u8.ToArray(), "a GGUF file, which Bruma does not read; take the safetensors version of the model"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file (Keras), which Bruma does not read; take the safetensors version of the model"),
        ([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'], "a NumPy array, not a file of weights"),
        ([0x1f, 0x8b], "compressed with gzip; unpack it first"),
        ("Rar!"u8.ToArray(), "a RAR archive; unpack it first"),
        ([(byte)'7', (byte)'z', 0xbc, 0xaf], "a 7-Zip archive; unpack it first"),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "a PNG picture, not a file of weights"),
        ([0xff, 0xd8, 0xff], "a JPEG picture, not a file of weights"),
    ];

    /// <summary>safetensors, both formats of torch.save, or the index (<c>*.index.json</c>) of a checkpoint in several files.</summary>
    /// <exception cref="BrumaException">The file is missing, damaged, malicious or of another kind.</exception>
    public static ITensorSource Open(string path)
    {
        if (Directory.Exists(path))
            throw new BrumaException($"{path}: is a folder where a file of weights was expected.");
        var start = Start(path);
        foreach (var (bytes, what) in Others)
            if (start.AsSpan().StartsWith(bytes))
                throw new BrumaException($"{path}: is {what}.");

        if (start.AsSpan().StartsWith("PK\u0003\u0004"u8) || start is [0x80, < 6, ..])
            return new TorchPickleFile(path);
        var text = Encoding.Latin1.GetString(start).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        if (text.StartsWith('<'))
            throw new BrumaException($"{path}: is a web page or XML instead of a file of weights (an error or log-in page, perhaps); download the model again.");
        if (text.StartsWith('{'))
            return new ShardedCheckpoint(path);
        if (start.Length < 9 || start[8] == '{' || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            return new SafetensorsFile(path);
        throw new BrumaException($"{path}: is neither safetensors nor a file of torch.save (it begins with {Convert.ToHexStringLower(start.AsSpan(0, Math.Min(8, start.Length)))}); take the safetensors version of the model.");
    }

    private static byte[] Start(string path)
    {
        using var file = new StoredFile(path);
        return file.Bytes(0, (int)Math.Min(file.Length, 512));
    }
}
