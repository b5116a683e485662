using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text.Json;

namespace Bruma.Hub;

/// <summary>What the hub says of a file before it sends it.</summary>
/// <param name="ETag">Names the content: its SHA-256 for large files, else git's SHA-1.</param>
/// <param name="Source">Where to get it from.</param>
internal sealed record HubFileInfo(string ETag, string? Commit, long? Size, Uri Source);

/// <summary>Asks the hub: which files a revision has, and what each is.</summary>
internal sealed class HubClient : IDisposable
{
    private const int MaxRedirects = 5;
    private const int MaxListBytes = 64 << 20;

    private readonly HubSettings _settings;
    private readonly HubReference _reference;
    private readonly HttpClient _asking = new(new HttpClientHandler { AllowAutoRedirect = false });

    public HubClient(HubSettings settings, HubReference reference)
    {
        (_settings, _reference) = (settings, reference);
        _asking.Timeout = settings.AnswerTimeout;
        _asking.MaxResponseContentBufferSize = MaxListBytes;
        Downloads.Timeout = Timeout.InfiniteTimeSpan; // stalls are noticed while reading
        foreach (var client in new[] { _asking, Downloads })
        {
            client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("bruma", typeof(HubClient).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0"));
            if (settings.Token is { } token)
                client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
        }
    }

    /// <summary>Follows redirects, on which the token is left behind.</summary>
    public HttpClient Downloads { get; } = new();

    /// <summary>The commit of the revision and all files in it.</summary>
    public async Task<(string Commit, IReadOnlyList<string> Files)> List(CancellationToken cancellationToken)
    {
        var address = new Uri($"{_settings.Endpoint}/api/models/{_reference.Repository}/revision/{Uri.EscapeDataString(_reference.Revision)}");
        using var response = await Ask(HttpMethod.Get, address, null, cancellationToken);
        try
        {
            using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            var commit = json.RootElement.GetProperty("sha").GetString()!;
            if (!HubReference.IsCommitSum(commit))
                throw new FormatException($"\"sha\" is \"{commit}\"");
            return (commit, [.. json.RootElement.GetProperty("siblings").EnumerateArray().Select(file => file.GetProperty("rfilename").GetString()!)]);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new BrumaException($"{address}: the answer is no list of files ({e.Message.Split('\n')[0].TrimEnd('.')}); check HF_ENDPOINT.", e);
        }
    }

    /// <summary>What the content of a file is; without following redirects to other hosts, which would hide it.</summary>
    public async Task<HubFileInfo> Head(string commit, string file, CancellationToken cancellationToken)
    {
        var address = new Uri($"{_settings.Endpoint}/{_reference.Repository}/resolve/{Uri.EscapeDataString(commit)}/{string.Join('/', file.Split('/').Select(Uri.EscapeDataString))}");
        using var response = await Ask(HttpMethod.Head, address, file, cancellationToken);
        var etag = (Header(response, "X-Linked-Etag") ?? Header(response, "ETag"))?.Trim();
        etag = (etag?.StartsWith("W/", StringComparison.Ordinal) == true ? etag[2..] : etag)?.Trim('"');
        if (string.IsNullOrEmpty(etag) || !etag.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            throw new BrumaException($"{address}: the answer does not say what the file is (no ETag); check HF_ENDPOINT and the proxy.");
        var size = long.TryParse(Header(response, "X-Linked-Size"), out var linked) ? linked : response.Content.Headers.ContentLength;
        return new HubFileInfo(etag, Header(response, "X-Repo-Commit"), IsRedirect(response) && linked == 0 ? null : size, response.RequestMessage!.RequestUri!);
    }

    public void Dispose()
    {
        _asking.Dispose();
        Downloads.Dispose();
    }

    /// <summary>The message for an answer that is no success.</summary>
    public BrumaException Refusal(HttpResponseMessage response, string? file)
    {
        var (status, code) = ((int)response.StatusCode, Header(response, "X-Error-Code"));
        return new BrumaException((status, code) switch
        {
            (_, "GatedRepo") => $"{_reference}: its licence must be accepted first, at {_settings.Endpoint}/{_reference.Repository}; then set HF_TOKEN to a token of that account ({status}).",
            (404, "RevisionNotFound") => $"{_reference}: the model has no revision \"{_reference.Revision}\" ({status}); leave it out for main.",
            (404, "EntryNotFound") => $"{_reference}: has no file {file} ({status}).",
            (401 or 403, _) or (_, "RepoNotFound") => $"{_reference}: the hub knows no such model, or it is private ({status}); check the name, and set HF_TOKEN to a token that may read it.",
            (404, _) => $"{_reference}: the hub has {(file is null ? "no such model or revision" : $"no file {file}")} ({status}); check the name.",
            (429, _) => $"{_reference}: the hub asks to wait, there were too many requests ({status}); try again in some minutes{(_settings.Token is null ? ", or set HF_TOKEN" : "")}.",
            _ => $"{_reference}: the hub answers {status} ({response.ReasonPhrase}); try again later.",
        });
    }

    private async Task<HttpResponseMessage> Ask(HttpMethod method, Uri address, string? file, CancellationToken cancellationToken)
    {
        HttpResponseMessage? result = null;
        await FileDownload.Attempt(async () => result = await Follow(method, address, file, cancellationToken), address, cancellationToken);
        return result!;
    }

    private async Task<HttpResponseMessage> Follow(HttpMethod method, Uri address, string? file, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(method, address);
            var response = await _asking.SendAsync(request, cancellationToken);
            if (IsRedirect(response) && response.Headers.Location is { } location && new Uri(address, location) is var next && next.Authority == address.Authority && redirects < MaxRedirects)
            {
                response.Dispose();
                address = next;
                continue;
            }
            if (response.IsSuccessStatusCode || IsRedirect(response) && method == HttpMethod.Head)
                return response;
            using (response)
            {
                FileDownload.ThrowIfBusy(response, answer => Refusal(answer, file));
                throw Refusal(response, file);
            }
        }
    }

    private static bool IsRedirect(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Redirect or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect or HttpStatusCode.SeeOther;

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
