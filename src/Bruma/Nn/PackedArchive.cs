using System.IO.Compression;
using System.Text;

namespace Bruma.Nn;

/// <summary>A TorchScript archive without weights, written in memory: the way to operators of libtorch that have no C# wrapper.</summary>
internal static class PackedArchive
{
    private const string Header = """
        class K(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          _is_full_backward_hook : Optional[bool]
          def forward(self: __torch__.K, x: Tensor) -> Tensor:
            return x

        """;

    /// <param name="methods">Each a signature without <c>self</c>, and the expression that it returns.</param>
    public static byte[] Write(IEnumerable<(string Signature, string Result)> methods)
    {
        var code = new StringBuilder(Header.ReplaceLineEndings("\n"));
        foreach (var (signature, result) in methods)
        {
            var (name, arguments) = (signature[..signature.IndexOf('(', StringComparison.Ordinal)], signature[(signature.IndexOf('(', StringComparison.Ordinal) + 1)..^1]);
            code.Append("  def ").Append(name).Append("(self: __torch__.K, ").Append(arguments).Append(") -> Tensor:\n")
                .Append("    _0 = annotate(List[Optional[number]], [])\n    _1 = ").Append(result).Append("\n    return _1\n");
        }
        using var memory = new MemoryStream();
        using (var zip = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(zip, "version", "3\n"u8);
            Add(zip, "byteorder", "little"u8);
            Add(zip, "constants.pkl", [0x80, 2, (byte)')', (byte)'.']); // an empty tuple
            Add(zip, "data.pkl", Attributes());
            Add(zip, "code/__torch__.py", Encoding.ASCII.GetBytes(code.ToString()));
        }
        return memory.ToArray();
    }

    /// <summary>The pickled module: training is true, its hook is None.</summary>
    private static byte[] Attributes()
    {
        List<byte> pickle = [0x80, 2, (byte)'c', .. "__torch__\nK\n"u8, (byte)'q', 0, (byte)')', 0x81, (byte)'}', (byte)'('];
        Text("training");
        pickle.AddRange([(byte)'q', 1, 0x88]);
        Text("_is_full_backward_hook");
        pickle.AddRange([(byte)'q', 2, (byte)'N', (byte)'u', (byte)'b', (byte)'q', 3, (byte)'.']);
        return [.. pickle];

        void Text(string text)
        {
            pickle.Add((byte)'X');
            pickle.AddRange(BitConverter.GetBytes(text.Length));
            pickle.AddRange(Encoding.ASCII.GetBytes(text));
        }
    }

    private static void Add(ZipArchive zip, string name, ReadOnlySpan<byte> bytes)
    {
        using var stream = zip.CreateEntry("k/" + name, CompressionLevel.NoCompression).Open();
        stream.Write(bytes);
    }
}
