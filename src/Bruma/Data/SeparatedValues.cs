using System.Text;

namespace Bruma.Data;

/// <summary>CSV and TSV as RFC 4180 has them: quoted cells may hold separators, line ends and doubled quotes.</summary>
internal static class SeparatedValues
{
    /// <returns>Cells of each row and the number of the line on which it begins, the first being 1.</returns>
    /// <exception cref="BrumaException">A quote is not closed.</exception>
    public static IEnumerable<(int Line, IReadOnlyList<string> Cells)> Read(string path, char separator)
    {
        using var reader = new StreamReader(path);
        for (var line = 1; reader.Peek() >= 0;)
        {
            var first = line;
            yield return (first, Row(reader, separator, ref line, () => new BrumaException($"{path}, row {first}: a quoted cell is not closed; add the missing \".")));
        }
    }

    private static List<string> Row(StreamReader reader, char separator, ref int line, Func<BrumaException> unclosed)
    {
        var (cells, cell, quoted) = (new List<string>(), new StringBuilder(), false);
        while (true)
        {
            var next = reader.Read();
            if (next < 0 && quoted)
                throw unclosed();
            if (next < 0 || next == '\n' && !quoted)
            {
                line++;
                if (cell.Length > 0 && cell[^1] == '\r')
                    cell.Length--;
                cells.Add(cell.ToString());
                return cells;
            }
            if (next == '\n')
                line++;
            if (quoted && next == '"' && reader.Peek() == '"')
                cell.Append((char)reader.Read());
            else if (next == '"' && (quoted || cell.Length == 0))
                quoted = !quoted;
            else if (next == separator && !quoted)
            {
                cells.Add(cell.ToString());
                cell.Clear();
            }
            else
                cell.Append((char)next);
        }
    }
}
