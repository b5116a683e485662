using System.Security.Cryptography;
using System.Text;

namespace Bruma.Hub;

/// <summary>Fetches files of one commit into the cache.</summary>
internal sealed class HubJob(HubClient client, HubCache cache, HubSettings settings, string commit)
{
    /// <summary>Makes a file part of the snapshot, unless it is.</summary>
    public async Task Fetch(string file, Action<long, long?>? onBytes, CancellationToken cancellationToken)
    {
        var pointer = cache.Pointer(commit, file);
        if (File.Exists(pointer))
            return;
        var info = await client.Head(commit, file, cancellationToken);
        using var mine = await cache.Lock(info.ETag, cancellationToken);
        if (!File.Exists(cache.Blob(info.ETag)))
            await Download(file, info, onBytes, cancellationToken);
        cache.Show(info.ETag, pointer);
    }

    private Task Download(string file, HubFileInfo info, Action<long, long?>? onBytes, CancellationToken cancellationToken)
    {
        var blob = cache.Blob(info.ETag);
        var part = $"{blob}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(info.Source.ToString())))[..8]}.incomplete";
        if (info.Size is { } size && Path.GetPathRoot(Path.GetFullPath(blob)) is { } root && new DriveInfo(root).AvailableFreeSpace is var free && free < size)
            throw new BrumaException($"{file}: needs {size} bytes but {settings.Cache} has {free} free; free space or set HF_HUB_CACHE to another disk.");
        var plan = new DownloadPlan(info.Source, blob, part, info.Size, settings.StallTimeout, bytes => onBytes?.Invoke(bytes, info.Size), answer => client.Refusal(answer, file));
        return FileDownload.Get(client.Downloads, plan, came =>
        {
            if (HubDownload.Mismatch(came, info.ETag) is { } mismatch)
                throw new BrumaException($"{info.Source}: what came is damaged ({mismatch}); it is deleted, try again.");
        }, cancellationToken);
    }
}
