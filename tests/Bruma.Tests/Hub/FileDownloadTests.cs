using System.Net;
using System.Net.Sockets;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Tests.Support;

namespace Bruma.Tests.Hub;

public sealed class FileDownloadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = new();
    private readonly byte[] _content = new byte[200_000];

    public FileDownloadTests() => new Random(1).NextBytes(_content);

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_broken_connection_is_gone_on_with()
    {
        using var server = new BreakingServer(_content, breaksAfter: 70_000);
        var path = Path.Combine(_folder.Root, "file.bin");
        await FileDownload.Get(_client, server.Address, path, part => Assert.Equal(_content, File.ReadAllBytes(part)));
        Assert.Equal(_content, await File.ReadAllBytesAsync(path));
        Assert.Equal([0, 70_000, 140_000], server.Starts);
        Assert.False(File.Exists(path + ".part"));
    }

    [Fact]
    public async Task A_wrong_content_leaves_nothing_behind()
    {
        using var server = new BreakingServer(_content, breaksAfter: int.MaxValue);
        var path = Path.Combine(_folder.Root, "file.bin");
        var error = await Assert.ThrowsAsync<BrumaException>(() => FileDownload.Get(_client, server.Address, path, _ => throw new BrumaException("the content is wrong.")));
        Assert.Equal("the content is wrong.", error.Message);
        Assert.Empty(Directory.EnumerateFiles(_folder.Root));
    }

    [Fact]
    public async Task Fashion_MNIST_is_taken_only_with_its_published_content()
    {
        using var server = new BreakingServer(_content, breaksAfter: int.MaxValue);
        var error = await Assert.ThrowsAsync<BrumaException>(() => FashionMnist.Download(_client, server.Address, _folder.Root));
        Assert.Contains("train-images-idx3-ubyte.gz", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder.Root));
    }

    /// <summary>Serves one content under every name, by ranges, and hangs up after a number of bytes.</summary>
    private sealed class BreakingServer : IDisposable
    {
        private readonly HttpListener _listener = new();

        public BreakingServer(byte[] content, int breaksAfter)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            Address = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
            probe.Stop();
            _listener.Prefixes.Add(Address.ToString());
            _listener.Start();
            _ = Task.Run(async () =>
            {
                while (_listener.IsListening)
                    Answer(await _listener.GetContextAsync(), content, breaksAfter);
            });
        }

        public Uri Address { get; }

        public List<int> Starts { get; } = [];

        public void Dispose() => _listener.Close();

        private void Answer(HttpListenerContext context, byte[] content, int breaksAfter)
        {
            var start = context.Request.Headers["Range"] is { } range ? int.Parse(range["bytes=".Length..].TrimEnd('-'), System.Globalization.CultureInfo.InvariantCulture) : 0;
            Starts.Add(start);
            context.Response.StatusCode = start > 0 ? 206 : 200;
            if (start > 0)
                context.Response.Headers["Content-Range"] = $"bytes {start}-{content.Length - 1}/{content.Length}";
            context.Response.ContentLength64 = content.Length - start;
            var count = Math.Min(breaksAfter, content.Length - start);
            context.Response.OutputStream.Write(content, start, count);
            context.Response.OutputStream.Flush();
            if (count < content.Length - start)
                context.Response.Abort();
            else
                context.Response.Close();
        }
    }
}
