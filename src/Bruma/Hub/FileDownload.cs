using System.Net;
using System.Net.Http.Headers;

namespace Bruma.Hub;

/// <summary>A file to fetch.</summary>
/// <param name="Path">Where it shall be.</param>
/// <param name="Part">Where it grows; what has come is gone on with by the next call.</param>
/// <param name="Size">Bytes that it must have; null where that is not known.</param>
/// <param name="StallTimeout">How long nothing may come; null for ever.</param>
/// <param name="OnBytes">Told how many bytes are there.</param>
/// <param name="Refusal">The message for an answer that is no success; null for a general one.</param>
internal sealed record DownloadPlan(Uri Source, string Path, string Part, long? Size = null, TimeSpan? StallTimeout = null, Action<long>? OnBytes = null, Func<HttpResponseMessage, BrumaException>? Refusal = null);

/// <summary>Fetches a file over HTTP: goes on where a broken connection stopped, and shows the file under its name only when its content is checked.</summary>
public static class FileDownload
{
    private const int Attempts = 5;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    /// <param name="client">Carries proxy, token and timeout.</param>
    /// <param name="path">Where the file shall be; what has come so far lies beside it as <c>.part</c> and is gone on with by the next call.</param>
    /// <param name="check">Looks at the whole download and throws <see cref="BrumaException"/> when it is not what was asked for; it is deleted then.</param>
    /// <exception cref="BrumaException">The server does not answer or refuses, or the content is wrong.</exception>
    public static Task Get(HttpClient client, Uri source, string path, Action<string> check, CancellationToken cancellationToken = default) =>
        Get(client, new DownloadPlan(source, path, path + ".part"), check, cancellationToken);

    internal static async Task Get(HttpClient client, DownloadPlan plan, Action<string> check, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(plan.Path))!);
        await Attempt(() => GoOn(client, plan, cancellationToken), plan.Source, cancellationToken);
        try
        {
            if (plan.Size is { } size && new FileInfo(plan.Part).Length is var length && length != size)
                throw new BrumaException($"{plan.Source}: {length} bytes came where {size} were announced; try again.");
            check(plan.Part);
        }
        catch (BrumaException)
        {
            File.Delete(plan.Part);
            throw;
        }
        File.Move(plan.Part, plan.Path, overwrite: true);
    }

    /// <summary>Repeats what fails by a broken connection or a busy server, with growing pauses.</summary>
    internal static async Task Attempt(Func<Task> work, Uri source, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                await work();
                return;
            }
            catch (Exception e) when (IsBroken(e, cancellationToken))
            {
                if (attempt == Attempts)
                    throw e is BusyException busy
                        ? busy.Refusal
                        : new BrumaException($"{source}: the connection broke {Attempts} times ({e.GetBaseException().Message.TrimEnd('.')}); try again later, what has come is kept.", e);
                await Task.Delay((e as BusyException)?.Wait ?? TimeSpan.FromMilliseconds(100 * attempt), cancellationToken);
            }
    }

    /// <summary>Throws for an answer that asks to come again later.</summary>
    internal static void ThrowIfBusy(HttpResponseMessage response, Func<HttpResponseMessage, BrumaException> refusal)
    {
        if (response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout))
            return;
        var wait = response.Headers.RetryAfter?.Delta ?? response.Headers.RetryAfter?.Date - DateTimeOffset.UtcNow;
        throw new BusyException(refusal(response), wait is { } asked ? TimeSpan.FromTicks(Math.Clamp(asked.Ticks, 0, LongestWait.Ticks)) : null);
    }

    private static bool IsBroken(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException { StatusCode: null } or HttpIOException or IOException or BusyException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested);

    private static async Task GoOn(HttpClient client, DownloadPlan plan, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, plan.Source);
        var have = File.Exists(plan.Part) ? new FileInfo(plan.Part).Length : 0;
        if (have > plan.Size)
            have = 0; // not a part of this file
        if (have > 0)
            request.Headers.Range = new RangeHeaderValue(have, null);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (have > 0 && response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            return; // all of it was there
        var refusal = plan.Refusal ?? (answer => new BrumaException($"{plan.Source}: the server answers {(int)answer.StatusCode} ({answer.ReasonPhrase}); check the address."));
        ThrowIfBusy(response, refusal);
        if (!response.IsSuccessStatusCode)
            throw refusal(response);

        var goesOn = have > 0 && response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == have;
        await using var file = new FileStream(plan.Part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
        await Copy(content, file, plan, cancellationToken);
    }

    private static async Task Copy(Stream content, FileStream file, DownloadPlan plan, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 17];
        while (true)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            if (plan.StallTimeout is { } longest)
                patience.CancelAfter(longest);
            var count = await content.ReadAsync(buffer, patience.Token);
            if (count == 0)
                return;
            await file.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            plan.OnBytes?.Invoke(file.Position);
        }
    }

    /// <summary>The server wants to be asked again later.</summary>
    private sealed class BusyException(BrumaException refusal, TimeSpan? wait) : Exception(refusal.Message)
    {
        public BrumaException Refusal { get; } = refusal;

        public TimeSpan? Wait { get; } = wait;
    }
}
