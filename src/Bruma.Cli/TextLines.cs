namespace Bruma.Cli;

/// <summary>Texts from arguments, a file or standard input: a line is a text.</summary>
internal static class TextLines
{
    public const string StandardInput = "-";

    /// <exception cref="BrumaException">The file is missing or is no text.</exception>
    public static IEnumerable<string> Read(IReadOnlyList<string> arguments, string? input)
    {
        if (arguments is [StandardInput])
            (arguments, input) = ([], StandardInput);
        if (arguments.Count > 0 && input is not null)
            throw new UsageException("texts and --input: give one of them.");
        if (arguments.Count == 0 && input is null)
            throw new UsageException("no text: give texts, --input FILE, or - for standard input.");
        if (input is null)
            return arguments;
        if (input == StandardInput)
            return Lines(Console.In);
        if (!File.Exists(input))
            throw new BrumaException($"{input}: no such file.");
        return File.ReadLines(input);
    }

    private static IEnumerable<string> Lines(TextReader reader)
    {
        while (reader.ReadLine() is { } line)
            yield return line;
    }
}
