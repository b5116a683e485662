using System.Globalization;

namespace Bruma.Data.Sequences;

/// <summary>Spanish numbers in words, from cero to 999,999, to digits; held-out numbers occur in no training example.</summary>
public sealed class SpanishNumberTask() : SequenceTask("numbers-es", "Spanish numbers in words, 0 to 999,999, to digits")
{
    private const int Below = 1_000_000;

    private static readonly string[] Small =
    [
        "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve",
        "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve",
    ];

    private static readonly string[] Tens = ["", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
    private static readonly string[] Hundreds = ["", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos", "ochocientos", "novecientos"];

    public override IEnumerable<string> Characters =>
        Small.Concat(Tens).Concat(Hundreds).Append("0123456789 mil y cien ú veintiún").SelectMany(text => text.EnumerateRunes()).Distinct().Order().Select(rune => rune.ToString());

    public override int LongestTarget => 6;

    /// <summary>A number below a million in words, as the language's rules have it.</summary>
    public static string Words(int number) => number switch
    {
        < 0 or >= Below => throw new ArgumentOutOfRangeException(nameof(number)),
        < 1000 => BelowThousand(number, shortened: false),
        < 2000 => number == 1000 ? "mil" : $"mil {BelowThousand(number - 1000, shortened: false)}",
        _ => $"{BelowThousand(number / 1000, shortened: true)} mil{(number % 1000 == 0 ? "" : $" {BelowThousand(number % 1000, shortened: false)}")}",
    };

    public override SequenceExample Training(long seed, long index)
    {
        for (var attempt = 0; ; attempt++)
        {
            var number = Number(seed, index, attempt);
            if (!IsHeldOut(number))
                return Example(number);
        }
    }

    public override IReadOnlyList<SequenceExample> HeldOut(int count) =>
        [.. Enumerable.Range(0, int.MaxValue).Select(i => Number(1, i, 0)).Where(number => IsHeldOut(number)).Distinct().Take(Math.Min(count, Below / 20)).Select(Example)];

    /// <summary>As many short numbers as long ones.</summary>
    private static int Number(long seed, long index, int attempt)
    {
        var below = new[] { 100, 1000, 10_000, 100_000, Below, Below }[Draw(seed, index, 2 * attempt, 6)];
        return Draw(seed, index, 2 * attempt + 1, below);
    }

    private static SequenceExample Example(int number) => new(Words(number), number.ToString(CultureInfo.InvariantCulture));

    /// <param name="shortened">Before "mil", uno is un.</param>
    private static string BelowThousand(int number, bool shortened)
    {
        if (number == 100)
            return "cien";
        var rest = number % 100;
        var words = rest switch
        {
            1 when shortened => "un",
            21 when shortened => "veintiún",
            < 30 => Small[rest],
            _ when rest % 10 == 0 => Tens[rest / 10],
            _ => $"{Tens[rest / 10]} y {(shortened && rest % 10 == 1 ? "un" : Small[rest % 10])}",
        };
        return number < 100 ? words : rest == 0 ? Hundreds[number / 100] : $"{Hundreds[number / 100]} {words}";
    }
}
