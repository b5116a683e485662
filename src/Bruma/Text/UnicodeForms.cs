using System.Globalization;
using System.Text;

namespace Bruma.Text;

/// <summary>Unicode normalisation (Annex 15) from tables of our own: programs run without ICU, where <see cref="string.Normalize()"/> does nothing.</summary>
internal static class UnicodeForms
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7, LeadCount = 19, VowelCount = 21, TailCount = 28;

    private static readonly Lazy<Tables> Data = new(Tables.Read);

    public static string Nfc(string text) => IsAscii(text) ? text : Compose(Decompose(text, compatible: false));

    public static string Nfd(string text) => IsAscii(text) ? text : Text(Decompose(text, compatible: false));

    public static string Nfkc(string text) => IsAscii(text) ? text : Compose(Decompose(text, compatible: true));

    public static string Nfkd(string text) => IsAscii(text) ? text : Text(Decompose(text, compatible: true));

    private static bool IsAscii(string text) => System.Text.Ascii.IsValid(text);

    private static List<int> Decompose(string text, bool compatible)
    {
        var result = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            Append(rune.Value, compatible, result);
        Order(result);
        return result;
    }

    private static void Append(int c, bool compatible, List<int> result)
    {
        var tables = Data.Value;
        if (c is >= HangulBase and < HangulBase + LeadCount * VowelCount * TailCount)
        {
            var syllable = c - HangulBase;
            result.Add(LeadBase + syllable / (VowelCount * TailCount));
            result.Add(VowelBase + syllable % (VowelCount * TailCount) / TailCount);
            if (syllable % TailCount > 0)
                result.Add(TailBase + syllable % TailCount);
        }
        else if (tables.Canonical.TryGetValue(c, out var parts) || compatible && tables.Compatible.TryGetValue(c, out parts))
            foreach (var part in parts)
                Append(part, compatible, result);
        else
            result.Add(c);
    }

    /// <summary>Sorts each run of marks by combining class, keeping the order of equal ones.</summary>
    private static void Order(List<int> text)
    {
        for (var i = 1; i < text.Count; i++)
            for (var j = i; j > 0 && Class(text[j]) is var second and > 0 && Class(text[j - 1]) > second; j--)
                (text[j - 1], text[j]) = (text[j], text[j - 1]);
    }

    private static string Compose(List<int> text)
    {
        var result = new List<int>(text.Count);
        var starter = -1;
        var last = -1; // combining class of the last mark that stayed behind the starter
        foreach (var c in text)
        {
            var combining = Class(c);
            if (starter >= 0 && (last < combining || last == -1) && Pair(result[starter], c) is { } whole)
            {
                result[starter] = whole;
                continue;
            }
            (starter, last) = combining == 0 ? (result.Count, -1) : (starter, combining);
            result.Add(c);
        }
        return Text(result);
    }

    private static int? Pair(int first, int second)
    {
        if (first is >= LeadBase and < LeadBase + LeadCount && second is >= VowelBase and < VowelBase + VowelCount)
            return HangulBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TailCount;
        if (first is >= HangulBase and < HangulBase + LeadCount * VowelCount * TailCount && (first - HangulBase) % TailCount == 0 && second is > TailBase and < TailBase + TailCount)
            return first + second - TailBase;
        return Data.Value.Pairs.TryGetValue((first, second), out var whole) ? whole : null;
    }

    private static int Class(int c) => Data.Value.Classes.GetValueOrDefault(c);

    private static string Text(List<int> codePoints)
    {
        var result = new StringBuilder(codePoints.Count);
        foreach (var c in codePoints)
            result.Append(new Rune(c).ToString());
        return result.ToString();
    }

    private sealed class Tables
    {
        public Dictionary<int, int[]> Canonical { get; } = [];

        public Dictionary<int, int[]> Compatible { get; } = [];

        public Dictionary<int, int> Classes { get; } = [];

        public Dictionary<(int First, int Second), int> Pairs { get; } = [];

        public static Tables Read()
        {
            var tables = new Tables();
            using var stream = typeof(UnicodeForms).Assembly.GetManifestResourceStream("Bruma.Text.Data.normalization.txt")!;
            using var reader = new StreamReader(stream);
            var excluded = new HashSet<int>();
            while (reader.ReadLine() is { } line)
            {
                var fields = line.Split(' ');
                switch (fields[0])
                {
                    case "d":
                        tables.Canonical[Hex(fields[1])] = [.. fields[2..].Select(Hex)];
                        break;
                    case "k":
                        tables.Compatible[Hex(fields[1])] = [.. fields[2..].Select(Hex)];
                        break;
                    case "c":
                        tables.Classes[Hex(fields[1])] = int.Parse(fields[2], CultureInfo.InvariantCulture);
                        break;
                    case "x":
                        excluded.Add(Hex(fields[1]));
                        break;
                }
            }
            foreach (var (whole, parts) in tables.Canonical)
                if (parts is [var first, var second] && !excluded.Contains(whole))
                    tables.Pairs[(first, second)] = whole;
            return tables;
        }

        private static int Hex(string field) => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
