using System.Globalization;

namespace Bruma.Data.Sequences;

/// <summary>Dates as people write them, in English and Spanish, to ISO 8601. Days of 1900 to 2099; held-out days occur in no form in training.</summary>
public sealed class DateTask() : SequenceTask("dates", "dates as people write them, in English and Spanish, to ISO 8601")
{
    private static readonly DateOnly First = new(1900, 1, 1);
    private static readonly int Days = new DateOnly(2100, 1, 1).DayNumber - First.DayNumber;

    private static readonly string[] English = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    private static readonly string[] Spanish = ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"];
    private static readonly string[] EnglishDays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    private static readonly string[] SpanishDays = ["domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"];

    private static readonly Func<DateOnly, string>[] Forms =
    [
        date => Plain($"{date.Day} {English[date.Month - 1]} {date.Year}"),
        date => Plain($"{English[date.Month - 1]} {date.Day}, {date.Year}"),
        date => Plain($"{English[date.Month - 1][..3]} {date.Day} {date.Year}"),
        date => Plain($"{EnglishDays[(int)date.DayOfWeek]}, {English[date.Month - 1]} {date.Day}, {date.Year}"),
        date => Plain($"the {date.Day}{Ordinal(date.Day)} of {English[date.Month - 1]}, {date.Year}"),
        date => Plain($"{date.Day} de {Spanish[date.Month - 1]} de {date.Year}"),
        date => Plain($"{SpanishDays[(int)date.DayOfWeek]} {date.Day} de {Spanish[date.Month - 1]} de {date.Year}"),
        date => Plain($"{date.Day} {Spanish[date.Month - 1][..3]} {date.Year}"),
        date => Plain($"{date.Day}/{date.Month}/{date.Year}"),
        date => Plain($"{date.Day:00}.{date.Month:00}.{date.Year}"),
        date => Plain($"{date.Day:00}-{English[date.Month - 1][..3].ToUpperInvariant()}-{date.Year}"),
    ];

    public override IEnumerable<string> Characters =>
        Enumerable.Range(0, 366).SelectMany(day => Forms.Select(form => form(First.AddDays(day)))).Append("0123456789-").SelectMany(text => text.EnumerateRunes()).Distinct().Order().Select(rune => rune.ToString());

    public override int LongestTarget => 10;

    public override SequenceExample Training(long seed, long index)
    {
        for (var attempt = 0; ; attempt++)
        {
            var day = Draw(seed, index, 2 * attempt, Days);
            if (!IsHeldOut(day))
                return Example(day, Draw(seed, index, 2 * attempt + 1, Forms.Length));
        }
    }

    public override IReadOnlyList<SequenceExample> HeldOut(int count) =>
        [.. Enumerable.Range(0, int.MaxValue).Select(i => (Day: Draw(1, i, 0, Days), Form: i % Forms.Length)).Where(pair => IsHeldOut(pair.Day)).Take(count).Select(pair => Example(pair.Day, pair.Form))];

    private static SequenceExample Example(int day, int form)
    {
        var date = First.AddDays(day);
        return new SequenceExample(Forms[form](date), date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    private static string Ordinal(int day) => (day % 10, day / 10) switch { (1, not 1) => "st", (2, not 1) => "nd", (3, not 1) => "rd", _ => "th" };

    private static string Plain(FormattableString text) => FormattableString.Invariant(text);
}
