using System.Globalization;
using System.Net;
using System.Text;

namespace Bruma.Reports;

/// <summary>A page that opens offline: headings, paragraphs, tables and pictures in the order they are added.</summary>
/// <remarks>Everything given is text and is escaped. Pictures stay files beside the page and are named relative to it, unless they are embedded.</remarks>
public sealed class HtmlReport(string title)
{
    private const string Style = """
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 68em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
        h1, h2, h3 { line-height: 1.2 } figure { margin: 1em 0 } figcaption { color: #555; font-size: 0.9em }
        img { max-width: 100%; height: auto; image-rendering: pixelated } img.smooth { image-rendering: auto }
        table { border-collapse: collapse; margin: 1em 0 } th, td { padding: 0.25em 0.8em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top }
        td.number, th.number { text-align: right; font-variant-numeric: tabular-nums } .wide { overflow-x: auto }
        pre { background: #f4f4f4; padding: 1em; overflow: auto } .note { background: #fff6dd; border-left: 4px solid #e0b000; padding: 0.5em 1em }
        """;

    private readonly StringBuilder _body = new();

    public HtmlReport Heading(string text) => Add($"<h2>{Escape(text)}</h2>");

    public HtmlReport Subheading(string text) => Add($"<h3>{Escape(text)}</h3>");

    public HtmlReport Paragraph(string text) => Add($"<p>{Escape(text)}</p>");

    /// <summary>A paragraph that should not be missed, such as a warning.</summary>
    public HtmlReport Note(string text) => Add($"<p class=\"note\">{Escape(text)}</p>");

    public HtmlReport List(IEnumerable<string> items) => Add($"<ul>{string.Concat(items.Select(item => $"<li>{Escape(item)}</li>"))}</ul>");

    /// <summary>Text as it is, such as settings or a command.</summary>
    public HtmlReport Preformatted(string text) => Add($"<pre>{Escape(text)}</pre>");

    /// <summary>Columns whose every filled cell begins like a number are aligned to the right.</summary>
    /// <param name="rows">As many cells in each as there are headers.</param>
    public HtmlReport Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows)
    {
        var cells = rows.ToList();
        var numeric = headers.Select((_, column) => cells.Count > 0 && cells.All(row => row[column].Length == 0 || IsNumber(row[column]))).ToArray();
        string Row(string tag, IReadOnlyList<string> row) => $"<tr>{string.Concat(row.Select((cell, column) => $"<{tag}{(numeric[column] ? " class=\"number\"" : "")}>{Escape(cell)}</{tag}>"))}</tr>";
        return Add($"<div class=\"wide\"><table><thead>{Row("th", headers)}</thead><tbody>{string.Concat(cells.Select(row => Row("td", row)))}</tbody></table></div>");
    }

    /// <summary>A picture beside the page.</summary>
    /// <param name="path">Relative to the page, with forward slashes.</param>
    /// <param name="smooth">For plots and photos; sheets of small pictures keep their pixels.</param>
    public HtmlReport Picture(string path, string caption, bool smooth = false) => Figure(path, caption, smooth);

    /// <summary>A picture inside the page, for pages that travel alone.</summary>
    /// <param name="image">A whole PNG file.</param>
    public HtmlReport EmbeddedPicture(ReadOnlySpan<byte> image, string caption, bool smooth = false) => Figure($"data:image/png;base64,{Convert.ToBase64String(image)}", caption, smooth);

    public override string ToString() => $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{Escape(title)}</title>
        <style>
        {Style}
        </style></head>
        <body><h1>{Escape(title)}</h1>
        {_body}</body></html>

        """;

    private HtmlReport Figure(string source, string caption, bool smooth) =>
        Add($"<figure><img{(smooth ? " class=\"smooth\"" : "")} src=\"{Escape(source)}\" alt=\"{Escape(caption)}\"><figcaption>{Escape(caption)}</figcaption></figure>");

    private HtmlReport Add(string html)
    {
        _body.Append(html).Append('\n');
        return this;
    }

    private static bool IsNumber(string cell) => double.TryParse(cell.TrimEnd('%').Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
