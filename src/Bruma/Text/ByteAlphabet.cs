using System.Globalization;
using System.Text;

namespace Bruma.Text;

/// <summary>GPT-2's printable letters for bytes, and the byte tokens of SentencePiece.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Letters = Create();
    private static readonly Dictionary<char, byte> Bytes = Letters.Select((letter, value) => (letter, value)).ToDictionary(pair => pair.letter, pair => (byte)pair.value);

    /// <summary>All letters in the order in which GPT-2 and CLIP number them.</summary>
    public static IEnumerable<char> Ordered => Letters.Order();

    /// <summary>Replaces each byte of the UTF-8 text by its letter.</summary>
    public static string Encode(string text) => string.Create(Encoding.UTF8.GetByteCount(text), text, (letters, source) =>
    {
        var bytes = Encoding.UTF8.GetBytes(source);
        for (var i = 0; i < bytes.Length; i++)
            letters[i] = Letters[bytes[i]];
    });

    /// <summary>The letters in the order of the characters, as vocabularies begin with them.</summary>
    public static IEnumerable<string> Sorted() => Letters.Order().Select(letter => letter.ToString());

    /// <summary>The reverse; characters that are no letter of the alphabet stay as they are, bytes that are no UTF-8 become U+FFFD.</summary>
    public static string Decode(string letters)
    {
        var bytes = new List<byte>(letters.Length);
        foreach (var rune in letters.EnumerateRunes())
            if (rune.IsBmp && Bytes.TryGetValue((char)rune.Value, out var value))
                bytes.Add(value);
            else
                bytes.AddRange(Encoding.UTF8.GetBytes(rune.ToString()));
        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>The ids of <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>; null where the vocabulary lacks one.</summary>
    public static int[]? FallbackIds(IReadOnlyDictionary<string, int> vocabulary)
    {
        var ids = new int[256];
        for (var value = 0; value < ids.Length; value++)
            if (!vocabulary.TryGetValue($"<0x{value:X2}>", out ids[value]))
                return null;
        return ids;
    }

    /// <summary>The byte of a token such as <c>&lt;0x0A&gt;</c>; null for others.</summary>
    public static byte? FallbackByte(string token) =>
        token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>' && byte.TryParse(token.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static char[] Create()
    {
        var letters = new char[256];
        var next = 256;
        for (var value = 0; value < letters.Length; value++)
            letters[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : (char)next++;
        return letters;
    }
}
