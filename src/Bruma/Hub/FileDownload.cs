using System.Net;
using System.Net.Http.Headers;

namespace Bruma.Hub;

/// <summary>Fetches a file over HTTP: goes on where a broken connection stopped, and shows the file under its name only when its content is checked.</summary>
public static class FileDownload
{
    private const int Attempts = 5;

    /// <param name="client">Carries proxy, token and timeout.</param>
    /// <param name="path">Where the file shall be; what has come so far lies beside it as <c>.part</c> and is gone on with by the next call.</param>
    /// <param name="check">Looks at the whole download and throws <see cref="BrumaException"/> when it is not what was asked for; it is deleted then.</param>
    /// <exception cref="BrumaException">The server does not answer or refuses, or the content is wrong.</exception>
    public static async Task Get(HttpClient client, Uri source, string path, Action<string> check, CancellationToken cancellationToken = default)
    {
        var part = path + ".part";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        for (var attempt = 1; ; attempt++)
            try
            {
                await GoOn(client, source, part, cancellationToken);
                break;
            }
            catch (Exception e) when (IsBroken(e, cancellationToken))
            {
                if (attempt == Attempts)
                    throw new BrumaException($"{source}: the connection broke {Attempts} times ({e.GetBaseException().Message.TrimEnd('.')}); try again later, what has come is kept.", e);
                await Task.Delay(TimeSpan.FromMilliseconds(100 * attempt), cancellationToken);
            }
        try
        {
            check(part);
        }
        catch (BrumaException)
        {
            File.Delete(part);
            throw;
        }
        File.Move(part, path, overwrite: true);
    }

    private static bool IsBroken(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException { StatusCode: null } or HttpIOException or IOException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested);

    private static async Task GoOn(HttpClient client, Uri source, string part, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, source);
        var have = File.Exists(part) ? new FileInfo(part).Length : 0;
        if (have > 0)
            request.Headers.Range = new RangeHeaderValue(have, null);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            return; // all of it was there
        if (!response.IsSuccessStatusCode)
            throw new BrumaException($"{source}: the server answers {(int)response.StatusCode} ({response.ReasonPhrase}); check the address.");

        var goesOn = response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == have;
        await using var file = new FileStream(part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write);
        await response.Content.CopyToAsync(file, cancellationToken);
    }
}
