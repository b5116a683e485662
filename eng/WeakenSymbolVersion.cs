using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>Marks the GLIBCXX_3.4.32 requirement of libLibTorchSharp.so in a folder as weak, in a copy of its own.</summary>
public sealed class WeakenSymbolVersion : Task
{
    private const ushort VerFlgWeak = 0x2;
    private const uint ShtGnuVerneed = 0x6ffffffe;

    [Required]
    public string Folder { get; set; }

    public override bool Execute()
    {
        foreach (var path in new[] { Path.Combine(Folder, "runtimes", "linux-x64", "native", "libLibTorchSharp.so"), Path.Combine(Folder, "libLibTorchSharp.so") })
            if (File.Exists(path))
                Patch(path);
        return true;
    }

    private static void Patch(string path)
    {
        var elf = File.ReadAllBytes(path);
        if (!Weaken(elf, "GLIBCXX_3.4.32"))
            return;

        var copy = path + ".patched";
        File.WriteAllBytes(copy, elf);
        File.Delete(path); // the link, never its target in the package cache
        File.Move(copy, path);
    }

    /// <summary>Walks .gnu.version_r (Elf64_Verneed and its Elf64_Vernaux entries) and sets the flag; false when nothing changed.</summary>
    private static bool Weaken(byte[] elf, string version)
    {
        var changed = false;
        var sections = (int)BitConverter.ToUInt64(elf, 0x28);
        int size = BitConverter.ToUInt16(elf, 0x3A), count = BitConverter.ToUInt16(elf, 0x3C);
        for (var i = 0; i < count; i++)
        {
            var header = sections + i * size;
            if (BitConverter.ToUInt32(elf, header + 4) != ShtGnuVerneed)
                continue;
            var strings = (int)BitConverter.ToUInt64(elf, sections + (int)BitConverter.ToUInt32(elf, header + 0x28) * size + 0x18);
            var need = (int)BitConverter.ToUInt64(elf, header + 0x18);
            for (var more = true; more;)
            {
                var aux = need + (int)BitConverter.ToUInt32(elf, need + 8);
                for (int k = 0, n = BitConverter.ToUInt16(elf, need + 2); k < n; k++)
                {
                    if (NameAt(elf, strings + (int)BitConverter.ToUInt32(elf, aux + 8)) == version && elf[aux + 4] != VerFlgWeak)
                    {
                        elf[aux + 4] = (byte)VerFlgWeak;
                        changed = true;
                    }
                    aux += (int)BitConverter.ToUInt32(elf, aux + 12);
                }
                var next = (int)BitConverter.ToUInt32(elf, need + 12);
                more = next != 0;
                need += next;
            }
        }
        return changed;
    }

    private static string NameAt(byte[] elf, int start)
    {
        return Encoding.ASCII.GetString(elf, start, Array.IndexOf(elf, (byte)0, start) - start);
    }
}
