using System.Text;

namespace Bruma.Data;

/// <summary>A text to learn from.</summary>
public static class TextCorpus
{
    /// <param name="source">A text file, a folder of <c>.txt</c> and <c>.md</c> files, or a name of <see cref="ManPages"/>.</param>
    /// <exception cref="BrumaException">Nothing is there, or it is no text.</exception>
    public static string Read(string source)
    {
        var text = ManPages.Names.Contains(source) ? ManPages.Read(source)
            : Directory.Exists(source) ? Folder(source)
            : File.Exists(source) ? FileText(source)
            : throw new BrumaException($"{source}: no such file or folder; give a text file, a folder of .txt files, or {string.Join(" or ", ManPages.Names)} (Debian's manual pages).");
        return string.IsNullOrWhiteSpace(text) ? throw new BrumaException($"{source}: holds no text.") : text;
    }

    private static string Folder(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".txt" or ".md").Order(StringComparer.Ordinal).ToList();
        return files.Count == 0 ? throw new BrumaException($"{folder}: holds no .txt or .md file.") : string.Join("\n", files.Select(FileText));
    }

    private static string FileText(string file)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(file)).TrimStart('\uFEFF');
            return text.Contains('\0', StringComparison.Ordinal) ? throw new BrumaException($"{file}: holds zero bytes and so is no text; convert it to UTF-8.") : text;
        }
        catch (DecoderFallbackException e)
        {
            throw new BrumaException($"{file}: is no UTF-8 at byte {e.Index}; convert it, for example with iconv.", e);
        }
    }
}
