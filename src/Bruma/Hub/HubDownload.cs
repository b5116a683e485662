using System.Security.Cryptography;
using System.Text;

namespace Bruma.Hub;

/// <summary>How far the download of a model is.</summary>
/// <param name="File">Name in the repository.</param>
/// <param name="Number">Counts from 1 to <paramref name="Files"/>.</param>
/// <param name="Size">Null where the hub does not say.</param>
public readonly record struct HubProgress(string File, int Number, int Files, long Bytes, long? Size);

/// <summary>Models of the Hugging Face hub, in the cache that Python's programs use too.</summary>
public static class HubDownload
{
    /// <summary>The folder of a model that is in the cache as a whole; null when it is not. Nothing is fetched.</summary>
    /// <param name="name"><c>org/name</c>, or the same as <see cref="HubReference"/> writes it.</param>
    public static string? Cached(string name, HubSettings? settings = null) =>
        HubReference.Find(HubReference.IsHub(name) ? name : HubReference.Prefix + name) is { } reference ? Whole(new HubCache(settings ?? new HubSettings(), reference)) : null;

    /// <summary>The folder of a model; what is not in the cache yet is fetched, and its sums are checked.</summary>
    /// <param name="variant">For example <c>fp16</c>; null for the plain weights where there are any.</param>
    /// <param name="settings">Null for those of the environment.</param>
    /// <exception cref="BrumaException">The hub does not know the model or refuses it, the connection breaks for good, or a content is wrong; what came whole is kept.</exception>
    public static async Task<string> Model(HubReference reference, string? variant = null, HubSettings? settings = null, IProgress<HubProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        settings ??= new HubSettings();
        var cache = new HubCache(settings, reference);
        var known = Whole(cache);
        if (known is not null && (reference.IsCommit || settings.IsOffline))
            return known;
        if (settings.IsOffline)
            throw new BrumaException($"{reference}: is not in {settings.Cache}, and HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to fetch it; unset it, or fetch the model where there is a network.");

        using var client = new HubClient(settings, reference);
        try
        {
            return await Fetch(client, cache, (reference, variant, settings), progress, cancellationToken);
        }
        catch (BrumaException e) when (known is not null && e.InnerException is HttpRequestException)
        {
            return known; // no network: the last known state
        }
    }

    private static string? Whole(HubCache cache) => cache.Commit() is { } last && HubFiles.IsWhole(cache.Snapshot(last)) ? cache.Snapshot(last) : null;

    private static async Task<string> Fetch(HubClient client, HubCache cache, (HubReference Reference, string? Variant, HubSettings Settings) what, IProgress<HubProgress>? progress, CancellationToken cancellationToken)
    {
        var (commit, files) = await client.List(cancellationToken);
        if (what.Reference.IsCommit && commit != what.Reference.Revision)
            throw new BrumaException($"{what.Reference}: the hub answers with the commit {commit}; check HF_ENDPOINT.");
        var job = new HubJob(client, cache, what.Settings, commit);
        string? index = null;
        if (files.Contains(HubFiles.Index))
        {
            await job.Fetch(HubFiles.Index, null, cancellationToken);
            index = await File.ReadAllTextAsync(cache.Pointer(commit, HubFiles.Index), cancellationToken);
        }
        var needed = HubFiles.Needed(files, index, what.Variant);
        if (needed.Count == 0)
            throw new BrumaException($"{what.Reference}: has no model that Bruma reads (no model_index.json, no config.json with weights, no single .safetensors file among its {files.Count} files).");
        for (var i = 0; i < needed.Count; i++)
        {
            var (file, number) = (needed[i], i + 1);
            await job.Fetch(file, (bytes, size) => progress?.Report(new HubProgress(file, number, needed.Count, bytes, size)), cancellationToken);
        }
        cache.SetCommit(commit);
        return cache.Snapshot(commit);
    }

    /// <summary>What a checked content is not, in words; null when it is what its name says.</summary>
    /// <param name="etag">64 digits of SHA-256, or 40 of git's SHA-1; other names say nothing about the content.</param>
    internal static string? Mismatch(string path, string etag)
    {
        if (!etag.All(char.IsAsciiHexDigitLower) || etag.Length is not (64 or 40))
            return null;
        using var stream = File.OpenRead(path);
        var sum = etag.Length == 64 ? SHA256.HashData(stream) : GitSum(stream);
        return Convert.ToHexStringLower(sum) is var found && found != etag ? $"its {(etag.Length == 64 ? "SHA-256" : "git sum")} is {found} where {etag} was announced" : null;
    }

    /// <summary>git's name for a content: the SHA-1 of its kind, length and bytes.</summary>
    private static byte[] GitSum(FileStream stream)
    {
#pragma warning disable CA5350 // the hub names small files by SHA-1
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
#pragma warning restore CA5350
        sum.AppendData(Encoding.ASCII.GetBytes(FormattableString.Invariant($"blob {stream.Length}\0")));
        var buffer = new byte[1 << 16];
        for (int count; (count = stream.Read(buffer)) > 0;)
            sum.AppendData(buffer, 0, count);
        return sum.GetHashAndReset();
    }
}
