namespace Bruma.Cli;

/// <summary>What <c>--output</c> names where nothing may be written over.</summary>
internal static class NewOutput
{
    /// <summary>Refuses a file that is there.</summary>
    public static string File(string path) => System.IO.File.Exists(path) ? throw new UsageException($"--output {path}: is there already; choose a new name.") : path;

    /// <summary>Refuses a file, and a folder with something in it.</summary>
    public static string Folder(string path) =>
        System.IO.File.Exists(path) || Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any() ? throw new UsageException($"--output {path}: is not empty; choose a new folder.") : path;
}
