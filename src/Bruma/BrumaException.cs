namespace Bruma;

/// <summary>Something that the person who runs the program can put right.</summary>
/// <remarks>The message is one sentence that names the file, key or option, what was found, what was expected and what to do.
/// Programs print it without a stack trace and exit with 1.</remarks>
public sealed class BrumaException(string message, Exception? inner = null) : Exception(message, inner);
