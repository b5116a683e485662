using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Bruma.Data.Emoji;

/// <summary>A style of a concept.</summary>
public readonly record struct EmojiCell(string Style, string Codepoints);

/// <summary>A colour of a concept that is never trained together, and never named together.</summary>
public readonly record struct EmojiColour(string Colour, string Codepoints);

/// <summary>What training never sees, so that it can be tested: fixed by hashes, committed as <c>models/emoji/splits.json</c>.</summary>
/// <param name="Rule">How the lists came about, in words.</param>
/// <param name="DataSha256">Of the data set that they were made from.</param>
/// <param name="H1">Styles of concepts: the concept is trained in at least three other styles.</param>
/// <param name="H2">Concepts, in all styles; their words occur in others.</param>
/// <param name="H3">Colours of concepts. Of ordered pairs, those whose <see cref="HidesPair"/> holds are kept out too.</param>
/// <param name="H4">Concepts that are trained with English captions only.</param>
/// <param name="Twins">Cells whose picture is that of a cell held out, or its mirror image: left out as well, and tested nowhere.</param>
public sealed record EmojiSplits(
    string Rule,
    string DataSha256,
    IReadOnlyList<EmojiCell> H1,
    IReadOnlyList<string> H2,
    IReadOnlyList<EmojiColour> H3,
    IReadOnlyList<string> H4,
    IReadOnlyList<EmojiCell> Twins)
{
    /// <summary>The first byte below which something is held out: 6.25 %, 10.2 %, 14.8 % and 10.2 %.</summary>
    internal const int H1Below = 16, H3ColourBelow = 26, H3PairBelow = 38, H4Below = 26;

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly HashSet<EmojiCell> _hiddenCells = [.. H1, .. Twins];
    private readonly HashSet<string> _hiddenConcepts = [.. H2];
    private readonly HashSet<EmojiColour> _hiddenColours = [.. H3];
    private readonly HashSet<string> _englishOnly = [.. H4];

    /// <summary>The lists that came with this build: those of the shipped model.</summary>
    public static EmojiSplits Committed => field ??= ReadCommitted();

    /// <summary>Nothing is left out: for judges, never for what they judge.</summary>
    public static EmojiSplits None { get; } = new("nothing", "", [], [], [], [], []);

    /// <summary>The first byte of the SHA-256 of <c>SPLIT|style|codepoints</c>; for H3 a colour or the first of two concepts, and for H4 the language, stands in the style's place.</summary>
    public static byte FirstByte(string split, string style, string codepoints) => SHA256.HashData(Encoding.UTF8.GetBytes($"{split}|{style}|{codepoints}"))[0];

    /// <summary>Whether training must not see this style of this concept (H1, H2 or a twin).</summary>
    public bool HidesPicture(string style, string codepoints) => HidesConcept(codepoints) || _hiddenCells.Contains(new EmojiCell(style, codepoints));

    /// <summary>Whether training must see no picture and no caption of this concept (H2).</summary>
    public bool HidesConcept(string codepoints) => _hiddenConcepts.Contains(codepoints);

    /// <summary>Whether this colour of this concept is kept out (H3).</summary>
    public bool HidesColour(string colour, string codepoints) => _hiddenColours.Contains(new EmojiColour(colour, codepoints));

    /// <summary>Whether the first beside the second, in this order, is kept out (H3).</summary>
    public static bool HidesPair(string first, string second) => FirstByte("H3", first, second) < H3PairBelow;

    /// <summary>Whether the concept is trained with English captions only (H4).</summary>
    public bool HidesSpanish(string codepoints) => _englishOnly.Contains(codepoints);

    /// <exception cref="BrumaException">The file is missing or no list of splits.</exception>
    public static EmojiSplits Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<EmojiSplits>(File.ReadAllBytes(path), Options)!;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{path}: no list of what training leaves out ({e.Message.TrimEnd('.')}); restore the file from the repository.", e);
        }
    }

    private static EmojiSplits ReadCommitted()
    {
        using var stream = typeof(EmojiSplits).Assembly.GetManifestResourceStream("Bruma.Data.Emoji.splits.json")!;
        return JsonSerializer.Deserialize<EmojiSplits>(stream, Options)!;
    }

    public string ToJson() => JsonSerializer.Serialize(this, Options) + "\n";
}
