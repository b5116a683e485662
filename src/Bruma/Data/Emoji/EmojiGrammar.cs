using System.Text.RegularExpressions;

namespace Bruma.Data.Emoji;

/// <summary>The few rules of English and Spanish that captions need.</summary>
internal static partial class EmojiGrammar
{
    public static readonly string[] EnglishNumbers = ["", "one", "two", "three", "four"];
    public static readonly string[] SpanishNumbers = ["", "uno", "dos", "tres", "cuatro"];
    public static readonly string[] EnglishTones = ["", "light", "medium-light", "medium", "medium-dark", "dark"];
    public static readonly string[] SpanishTones = ["", "claro", "claro medio", "medio", "oscuro medio", "oscuro"];

    private static readonly HashSet<string> FeminineBesides = ["flor", "luz", "mano", "nariz", "nube", "piel", "carne", "señal", "vaca", "llave", "nieve", "noche", "torre", "moto", "foto", "leche", "sal", "fuente", "serpiente", "cruz", "imagen", "red", "sartén", "estación"];
    private static readonly HashSet<string> MasculineInA = ["día", "mapa", "planeta", "sofá", "panda", "koala", "gorila", "puma", "cometa", "tranvía", "paraguas", "karateka", "yoga", "pijama", "problema", "idioma"];
    private static readonly Dictionary<string, string> IrregularPlurals = new()
    {
        ["man"] = "men",
        ["woman"] = "women",
        ["person"] = "people",
        ["mouse"] = "mice",
        ["tooth"] = "teeth",
        ["foot"] = "feet",
        ["goose"] = "geese",
        ["leaf"] = "leaves",
        ["knife"] = "knives",
        ["wolf"] = "wolves",
        ["fish"] = "fish",
        ["sheep"] = "sheep",
        ["scissors"] = "scissors",
        ["glasses"] = "glasses",
        ["child"] = "children",
        ["cactus"] = "cacti",
        ["bread"] = "loaves of bread",
        ["deer"] = "deer",
        ["bison"] = "bison",
    };

    /// <summary>Words of a text: runs of letters and digits.</summary>
    public static IEnumerable<string> Words(string text) => WordPattern().Matches(text).Select(match => match.Value);

    public static string WithArticle(string label) => $"{("aeiou".Contains(label[0], StringComparison.Ordinal) ? "an" : "a")} {label}";

    /// <summary>Plural of a name of one or two words: the last word's.</summary>
    public static string EnglishPlural(string label)
    {
        var at = label.LastIndexOf(' ') + 1;
        var word = label[at..];
        var plural = IrregularPlurals.TryGetValue(word, out var irregular) ? irregular
            : word.EndsWith('y') && word.Length > 1 && !"aeiou".Contains(word[^2], StringComparison.Ordinal) ? word[..^1] + "ies"
            : word.EndsWith('s') || word.EndsWith('x') || word.EndsWith('z') || word.EndsWith("ch", StringComparison.Ordinal) || word.EndsWith("sh", StringComparison.Ordinal) ? word + "es"
            : word is "potato" or "tomato" or "mango" or "mosquito" or "volcano" ? word + "es" : word + "s";
        return label[..at] + plural;
    }

    /// <summary>Plural of a name of one or two words (noun and adjective): of each.</summary>
    public static string SpanishPlural(string label) => string.Join(' ', label.Split(' ').Select(word =>
        word.EndsWith('z') ? word[..^1] + "ces"
        : word.EndsWith('s') || word.EndsWith('x') ? word
        : "aeiouáéíóú".Contains(word[^1], StringComparison.Ordinal) ? word + "s"
        : word.EndsWith("ón", StringComparison.Ordinal) ? word[..^2] + "ones"
        : word.EndsWith("án", StringComparison.Ordinal) ? word[..^2] + "anes"
        : word.EndsWith("és", StringComparison.Ordinal) ? word[..^2] + "eses" : word + "es"));

    /// <summary>Whether the noun that begins the name is feminine, by its ending and a short list.</summary>
    public static bool IsFeminine(string label)
    {
        var noun = Words(label).FirstOrDefault() ?? "";
        return FeminineBesides.Contains(noun) || (!MasculineInA.Contains(noun) && (noun.EndsWith('a') || noun.EndsWith("ción", StringComparison.Ordinal) || noun.EndsWith("dad", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"[\p{L}\p{M}\p{Nd}]+")]
    private static partial Regex WordPattern();
}
