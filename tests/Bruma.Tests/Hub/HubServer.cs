using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Bruma.Tests.Hub;

/// <summary>Serves one repository by the hub's protocol on the loopback, with the faults that a test asks for. Large files come from a second address, as on the hub.</summary>
internal sealed class HubServer : IDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private const int LargeFrom = 1000;

    private readonly HttpListener _hub = new();
    private readonly HttpListener _store = new();
    private readonly Dictionary<string, byte[]> _files;

    public HubServer(Dictionary<string, byte[]> files)
    {
        _files = files;
        (Endpoint, Store) = (Listen(_hub, Answer), Listen(_store, Content));
    }

    public string Endpoint { get; }

    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>The store hangs up after so many bytes of an answer.</summary>
    public int BreaksAfter { get; set; } = int.MaxValue;

    /// <summary>The store sends other bytes than it announced.</summary>
    public bool SendsWrongBytes { get; set; }

    /// <summary>So many requests are first answered with 429.</summary>
    public int Busy { get; set; }

    /// <summary>Every request is answered so; 0 for as it should be.</summary>
    public (int Status, string? Code) Refuses { get; set; }

    /// <summary>The token that is asked for; null for none.</summary>
    public string? Token { get; set; }

    private string Store { get; }

#pragma warning disable CA5350 // git's own sum
    public static string GitSum(byte[] content) => Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
#pragma warning restore CA5350

    public void Dispose()
    {
        _hub.Close();
        _store.Close();
    }

    private static string Listen(HttpListener listener, Action<HttpListenerContext> answer)
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        probe.Stop();
        listener.Prefixes.Add(address + "/");
        listener.Start();
        _ = Task.Run(async () =>
        {
            while (listener.IsListening)
                answer(await listener.GetContextAsync());
        });
        return address;
    }

    private void Answer(HttpListenerContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var path = Uri.UnescapeDataString(request.Url!.AbsolutePath);
        Requests.Enqueue($"{request.HttpMethod} {path}");
        if (Busy > 0)
        {
            Busy--;
            response.Headers["Retry-After"] = "0";
            response.StatusCode = 429;
        }
        else if (Refuses.Status > 0)
            Refuse(response, Refuses.Status, Refuses.Code);
        else if (Token is not null && request.Headers["Authorization"] != $"Bearer {Token}")
            Refuse(response, 401, null);
        else if (path.StartsWith("/api/models/org/name/revision/", StringComparison.Ordinal))
            response.OutputStream.Write(JsonSerializer.SerializeToUtf8Bytes(new { sha = Commit, siblings = _files.Keys.Select(name => new { rfilename = name }) }));
        else if (path.Split('/', 6) is ["", "org", "name", "resolve", Commit, var name] && _files.TryGetValue(name, out var content))
            Resolve(context, name, content);
        else
            Refuse(response, 404, path.Contains("/resolve/", StringComparison.Ordinal) ? "EntryNotFound" : "RepoNotFound");
        response.Close();
    }

    private void Resolve(HttpListenerContext context, string name, byte[] content)
    {
        var response = context.Response;
        response.Headers["X-Repo-Commit"] = Commit;
        if (content.Length < LargeFrom)
        {
            response.Headers["ETag"] = $"W/\"{GitSum(content)}\"";
            response.ContentLength64 = content.Length;
            if (context.Request.HttpMethod == "GET")
                response.OutputStream.Write(content);
            return;
        }
        response.Headers["X-Linked-Etag"] = $"\"{Convert.ToHexStringLower(SHA256.HashData(content))}\"";
        response.Headers["X-Linked-Size"] = content.Length.ToString(CultureInfo.InvariantCulture);
        response.StatusCode = 302;
        response.Headers["Location"] = $"{Store}/{name}";
    }

    private void Content(HttpListenerContext context)
    {
        var (request, response) = (context.Request, context.Response);
        Requests.Enqueue($"STORE {request.Url!.AbsolutePath} {request.Headers["Range"]} {request.Headers["Authorization"]}".TrimEnd());
        var content = _files[request.Url.AbsolutePath[1..]].ToArray();
        if (SendsWrongBytes)
            content[content.Length / 2] ^= 1;
        var start = request.Headers["Range"] is { } range ? int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture) : 0;
        if (start > 0)
        {
            response.StatusCode = 206;
            response.Headers["Content-Range"] = $"bytes {start}-{content.Length - 1}/{content.Length}";
        }
        response.ContentLength64 = content.Length - start;
        var count = Math.Min(BreaksAfter, content.Length - start);
        response.OutputStream.Write(content, start, count);
        response.OutputStream.Flush();
        if (count < content.Length - start)
            response.Abort();
        else
            response.Close();
    }

    private static void Refuse(HttpListenerResponse response, int status, string? code)
    {
        response.StatusCode = status;
        if (code is not null)
            response.Headers["X-Error-Code"] = code;
    }
}
