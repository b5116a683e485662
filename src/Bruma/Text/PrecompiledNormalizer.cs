using System.Buffers.Binary;
using System.Text;

namespace Bruma.Text;

/// <summary>SentencePiece's compiled table of replacements: a double array over UTF-8 bytes, then the replacements.</summary>
/// <remarks>The longest prefix that the table knows is replaced, grapheme by grapheme where it is short, as the tokenizers library does.</remarks>
internal sealed class PrecompiledNormalizer
{
    private const int ShortGrapheme = 6;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    /// <exception cref="BrumaException">The table is damaged.</exception>
    public PrecompiledNormalizer(byte[] table)
    {
        var size = table.Length < 4 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(table);
        if (size < 4 || size % 4 != 0 || size > table.Length - 4)
            throw new BrumaException("\"precompiled_charsmap\" is damaged");
        _units = [.. Enumerable.Range(0, size / 4).Select(i => BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(4 + 4 * i)))];
        _replacements = table[(4 + size)..];
    }

    public string Apply(string text)
    {
        var result = new StringBuilder(text.Length);
        var graphemes = System.Globalization.StringInfo.GetTextElementEnumerator(text);
        while (graphemes.MoveNext())
        {
            var grapheme = graphemes.GetTextElement();
            if (Encoding.UTF8.GetByteCount(grapheme) < ShortGrapheme && Find(grapheme) is { } whole)
                result.Append(whole);
            else
                foreach (var rune in grapheme.EnumerateRunes())
                    result.Append(Find(rune.ToString()) ?? rune.ToString());
        }
        return result.ToString();
    }

    /// <summary>The replacement of the shortest prefix in the table, as the tokenizers library takes it; null for none.</summary>
    private string? Find(string text)
    {
        uint node = 0;
        var unit = Unit(node);
        node ^= Offset(unit);
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (value == 0)
                return null;
            node ^= value;
            unit = Unit(node);
            if ((unit & 0x800000FF) != value)
                return null;
            node ^= Offset(unit);
            if ((unit >> 8 & 1) == 1)
                return Replacement((int)(Unit(node) & 0x7FFFFFFF));
        }
        return null;
    }

    private uint Unit(uint node) => node < _units.Length ? _units[node] : throw new BrumaException("\"precompiled_charsmap\" is damaged");

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & (1 << 9)) >> 6);

    private string Replacement(int at)
    {
        if (at > _replacements.Length)
            throw new BrumaException("\"precompiled_charsmap\" is damaged");
        var end = Array.IndexOf(_replacements, (byte)0, at);
        return Encoding.UTF8.GetString(_replacements.AsSpan(at, (end < 0 ? _replacements.Length : end) - at));
    }
}
