namespace Bruma;

/// <summary>Something that the person who runs the program can put right.</summary>
/// <remarks>The message is one sentence that names the file, key or option, what was found, what was expected and what to do.
/// Programs print it without a stack trace and exit with 1.</remarks>
public sealed class BrumaException(string message, Exception? inner = null) : Exception(OneLine(message), inner)
{
    private const int Longest = 4000;

    /// <summary>Names in a message come from files of others: no control characters, no megabytes.</summary>
    private static string OneLine(string message) =>
        string.Concat((message.Length <= Longest ? message : $"{message[..(Longest / 2)]} ... {message[^(Longest / 2)..]}").Select(c => char.IsControl(c) ? '\uFFFD' : c));
}
