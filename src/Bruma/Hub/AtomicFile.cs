namespace Bruma.Hub;

/// <summary>Writes a file beside its target and renames it: a reader sees the old file or the new one, never half of it.</summary>
public static class AtomicFile
{
    /// <exception cref="BrumaException">The folder cannot be written or the disk is full; the old file is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var beside = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
                Directory.CreateDirectory(folder);
            using (var stream = new FileStream(beside, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(beside, path, overwrite: true);
        }
        catch (Exception e)
        {
            File.Delete(beside);
            if (e is IOException or UnauthorizedAccessException)
                throw new BrumaException($"{path}: cannot be written ({e.Message.TrimEnd('.')}); free space or choose another folder.", e);
            throw;
        }
    }

    /// <summary>Copies every file below a folder to the same place below another.</summary>
    /// <exception cref="BrumaException">A file cannot be read or written.</exception>
    public static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            Write(Path.Combine(to, Path.GetRelativePath(from, file)), stream =>
            {
                using var source = File.OpenRead(file);
                source.CopyTo(stream);
            });
    }

    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
