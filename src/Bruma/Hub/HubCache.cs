namespace Bruma.Hub;

/// <summary>The folder of one model in the cache that Bruma shares with huggingface_hub.</summary>
/// <remarks><c>refs/REVISION</c> holds a commit, <c>blobs/ETAG</c> contents, <c>snapshots/COMMIT/PATH</c> links to them.
/// https://huggingface.co/docs/huggingface_hub/guides/manage-cache.</remarks>
internal sealed class HubCache(HubSettings settings, HubReference reference)
{
    private const string Tag = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by Bruma.\n# See https://bford.info/cachedir/\n";

    private readonly string _name = "models--" + reference.Repository.Replace("/", "--", StringComparison.Ordinal);

    private string Root => Path.Combine(settings.Cache, _name);

    private string Reference => Path.Combine(Root, "refs", Path.Combine(reference.Revision.Split('/')));

    /// <summary>The commit that the revision was when it was last looked up; null when it never was.</summary>
    public string? Commit()
    {
        if (reference.IsCommit)
            return reference.Revision;
        return File.Exists(Reference) && File.ReadAllText(Reference).Trim() is { } commit && HubReference.IsCommitSum(commit) ? commit : null;
    }

    public void SetCommit(string commit)
    {
        if (reference.IsCommit || Commit() == commit)
            return;
        AtomicFile.WriteText(Reference, commit);
        var tag = Path.Combine(settings.Cache, "CACHEDIR.TAG");
        if (!File.Exists(tag))
            AtomicFile.WriteText(tag, Tag);
    }

    public string Snapshot(string commit) => Path.Combine(Root, "snapshots", commit);

    /// <exception cref="BrumaException">The name would lie outside of the snapshot.</exception>
    public string Pointer(string commit, string file) => Path.Combine(Snapshot(commit), Path.Combine(SafeParts(file)));

    public string Blob(string etag) => Path.Combine(Root, "blobs", etag);

    /// <summary>Whether two processes want the same content: the second waits for the first.</summary>
    public async Task<IDisposable> Lock(string etag, CancellationToken cancellationToken)
    {
        var path = Path.Combine(settings.Cache, ".locks", _name, $"{etag}.lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            }
        }
    }

    /// <summary>Shows a blob in a snapshot: by a relative link, or by moving it there where there are no links.</summary>
    public void Show(string etag, string pointer)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(pointer)!);
        if (settings.UsesLinks)
            try
            {
                var beside = $"{pointer}.{Environment.ProcessId}.tmp";
                File.CreateSymbolicLink(beside, Path.GetRelativePath(Path.GetDirectoryName(pointer)!, Blob(etag)));
                File.Move(beside, pointer, overwrite: true);
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
            {
                // no links here: the file itself goes into the snapshot
            }
        File.Move(Blob(etag), pointer, overwrite: true);
    }

    private string[] SafeParts(string file)
    {
        var parts = file.Split('/');
        return Array.TrueForAll(parts, part => part is not ("" or "." or "..") && part.IndexOfAny(['\\', ':', '\0']) < 0 && !part.Any(char.IsControl))
            ? parts
            : throw new BrumaException($"{reference}: lists a file with the name \"{file}\", which could lie anywhere; it is not downloaded.");
    }
}
