using System.Text;

namespace Bruma.Text;

/// <summary>Long texts in pieces of whole lines, so that no step holds a text in all its forms at once.</summary>
public static class TextChunks
{
    private const int Length = 1 << 20;

    /// <summary>The text of a file; together the pieces are the whole text.</summary>
    public static IEnumerable<string> OfFile(string path)
    {
        using var reader = new StreamReader(path, Encoding.UTF8);
        foreach (var chunk in Of(reader))
            yield return chunk;
    }

    /// <summary>The same of any reader, which belongs to the caller.</summary>
    public static IEnumerable<string> Of(TextReader reader)
    {
        var (buffer, chunk) = (new char[1 << 16], new StringBuilder());
        for (int read; (read = reader.Read(buffer)) > 0;)
        {
            chunk.Append(buffer, 0, read);
            var end = chunk.Length < Length ? -1 : chunk.ToString().LastIndexOf('\n');
            if (end < 0)
                continue;
            yield return chunk.ToString(0, end + 1);
            chunk.Remove(0, end + 1);
        }
        if (chunk.Length > 0)
            yield return chunk.ToString();
    }
}
