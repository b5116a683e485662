using System.Security.Cryptography;
using System.Text;
using Bruma.Hub;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Hub;

public sealed class HubDownloadTests : IDisposable
{
    private const string Index = """{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"], "scheduler": ["diffusers", "DDIMScheduler"], "safety_checker": ["x", "SafetyChecker"], "feature_extractor": [null, null]}""";

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, byte[]> _files;
    private readonly byte[] _weights;
    private readonly HubServer _server;

    public HubDownloadTests()
    {
        using (NewDisposeScope())
            SafetensorsFile.Write(_folder["weights"], [new("w", randn(30_000))]);
        _weights = File.ReadAllBytes(_folder["weights"]);
        _files = new Dictionary<string, byte[]>
        {
            ["README.md"] = "read me"u8.ToArray(),
            ["model_index.json"] = Encoding.UTF8.GetBytes(Index),
            ["scheduler/scheduler_config.json"] = "{}"u8.ToArray(),
            ["unet/config.json"] = """{"a": 1}"""u8.ToArray(),
            ["unet/diffusion_pytorch_model.safetensors"] = _weights,
            ["unet/diffusion_pytorch_model.fp16.safetensors"] = _weights[..2000],
            ["unet/diffusion_pytorch_model.bin"] = _weights[..2000],
            ["safety_checker/model.safetensors"] = _weights[..2000],
        };
        _server = new HubServer(_files);
    }

    private string Cache => Path.Combine(_folder.Root, "hub");

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_needed_files_come_into_the_layout_of_huggingface_hub_once()
    {
        var snapshot = await Fetch("hf:org/name");
        var root = Path.Combine(Cache, "models--org--name");
        Assert.Equal(Path.Combine(root, "snapshots", HubServer.Commit), snapshot);
        Assert.Equal(HubServer.Commit, await File.ReadAllTextAsync(Path.Combine(root, "refs", "main")));
        Assert.Equal(["model_index.json", "scheduler/scheduler_config.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors"], FilesIn(snapshot));
        var weights = new FileInfo(Path.Combine(snapshot, "unet", "diffusion_pytorch_model.safetensors"));
        Assert.Equal($"../../../blobs/{Convert.ToHexStringLower(SHA256.HashData(_weights))}", weights.LinkTarget);
        Assert.Equal($"../../../blobs/{HubServer.GitSum(_files["unet/config.json"])}", new FileInfo(Path.Combine(snapshot, "unet", "config.json")).LinkTarget);
        Assert.Equal(_weights, await File.ReadAllBytesAsync(weights.FullName));

        var before = _server.Requests.Count;
        await Fetch("hf:org/name");
        Assert.Equal(["GET /api/models/org/name/revision/main"], _server.Requests.Skip(before));
        await Fetch($"hf:org/name@{HubServer.Commit}"); // a commit that is there needs no network
        await Fetch("hf:org/name", ("HF_HUB_OFFLINE", "yes"));
        Assert.Equal(before + 1, _server.Requests.Count);
    }

    [Fact]
    public async Task Without_a_network_the_last_state_serves_and_nothing_else()
    {
        await Fetch("hf:org/name");
        Assert.EndsWith(HubServer.Commit, await Fetch("hf:org/name", ("HF_ENDPOINT", "http://127.0.0.1:9")));
        var offline = await Refused("hf:org/other", ("TRANSFORMERS_OFFLINE", "1"));
        Assert.Contains("forbids", offline);
    }

    [Fact]
    public async Task A_broken_connection_is_gone_on_with_and_the_token_stays_with_the_hub()
    {
        (_server.BreaksAfter, _server.Token) = (70_000, "hf_secret");
        var snapshot = await Fetch("hf:org/name", ("HF_TOKEN", "hf_secret\n"));
        Assert.Equal(_weights, await File.ReadAllBytesAsync(Path.Combine(snapshot, "unet", "diffusion_pytorch_model.safetensors")));
        Assert.Equal(["STORE /unet/diffusion_pytorch_model.safetensors", "STORE /unet/diffusion_pytorch_model.safetensors bytes=70000-"], _server.Requests.Where(request => request.StartsWith("STORE", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Wrong_bytes_are_thrown_away()
    {
        _server.SendsWrongBytes = true;
        Assert.Contains("SHA-256", await Refused("hf:org/name"));
        Assert.DoesNotContain(FilesIn(Path.Combine(Cache, "models--org--name")), file => file.Contains("incomplete", StringComparison.Ordinal) || file.Contains(Convert.ToHexStringLower(SHA256.HashData(_weights)), StringComparison.Ordinal));
        _server.SendsWrongBytes = false;
        await Fetch("hf:org/name");
    }

    [Fact]
    public async Task A_busy_hub_is_asked_again()
    {
        _server.Busy = 2;
        await Fetch("hf:org/name");
        _server.Busy = 100;
        Assert.Contains("429", await Refused("hf:org/name"));
    }

    [Theory]
    [InlineData(401, null, "HF_TOKEN")]
    [InlineData(403, "GatedRepo", "licence")]
    [InlineData(404, "RevisionNotFound", "no revision")]
    [InlineData(404, "RepoNotFound", "no such model")]
    public async Task A_refusal_says_what_to_do(int status, string? code, string reason)
    {
        _server.Refuses = (status, code);
        var message = await Refused("hf:org/name@v1", ("HF_TOKEN", "hf_secret"));
        Assert.Contains(reason, message);
        Assert.DoesNotContain("hf_secret", message);
    }

    [Fact]
    public async Task A_content_that_changed_on_disk_is_found()
    {
        var snapshot = await Fetch("hf:org/name");
        Assert.All(ModelCheck.Of(snapshot), check => Assert.Null(check.Problem));
        var blob = Directory.EnumerateFiles(Path.Combine(Cache, "models--org--name", "blobs")).First(file => Path.GetFileName(file).Length == 64);
        using (var file = File.OpenWrite(blob))
            file.WriteByte(1);
        Assert.Contains("SHA-256", Assert.Single(ModelCheck.Of(snapshot), check => check.Problem is not null).Problem);
    }

    [Fact]
    public async Task Without_links_the_files_lie_in_the_snapshot()
    {
        var snapshot = await Fetch("hf:org/name", ("HF_HUB_DISABLE_SYMLINKS", "1"));
        Assert.Null(new FileInfo(Path.Combine(snapshot, "unet", "config.json")).LinkTarget);
        Assert.Empty(FilesIn(Path.Combine(Cache, "models--org--name", "blobs")));
        await Fetch("hf:org/name", ("HF_HUB_DISABLE_SYMLINKS", "1"));
    }

    [Fact]
    public async Task A_name_that_leads_out_of_the_cache_is_refused()
    {
        _files["unet/../../../../config.json"] = "{}"u8.ToArray();
        _files.Remove("model_index.json");
        _files["../config.json"] = "{}"u8.ToArray();
        _files["config.json/../../x/model.safetensors"] = _weights;
        await Refused("hf:org/name");
        Assert.All(Directory.EnumerateFiles(_folder.Root, "*", SearchOption.AllDirectories), file => Assert.True(file.StartsWith(Cache, StringComparison.Ordinal) || file == _folder["weights"]));
    }

    [Theory]
    [InlineData("hf:")]
    [InlineData("hf:a/b/c")]
    [InlineData("hf:a/../b")]
    [InlineData("hf:a/b@../../x")]
    public void A_name_of_another_form_is_refused(string text) => Assert.Throws<BrumaException>(() => HubReference.Parse(text));

    [Fact]
    public void The_environment_says_where_the_cache_is()
    {
        static HubSettings With(params (string Name, string Value)[] variables) => new(name => variables.FirstOrDefault(pair => pair.Name == name).Value);
        Assert.Equal("/home/me/.cache/huggingface/hub", With(("HOME", "/home/me")).Cache);
        Assert.Equal("/x/huggingface/hub", With(("XDG_CACHE_HOME", "/x")).Cache);
        Assert.Equal("/data/me/hub", With(("HF_HOME", "$ROOT/me"), ("ROOT", "/data")).Cache);
        Assert.Equal("/home/me/c", With(("HF_HUB_CACHE", "~/c"), ("HOME", "/home/me"), ("HF_HOME", "/y")).Cache);
        Assert.Equal("https://mirror.test", With(("HF_ENDPOINT", "https://mirror.test/")).Endpoint);
        Assert.False(With(("HF_HUB_OFFLINE", "0")).IsOffline);
    }

    private Task<string> Fetch(string reference, params (string Name, string Value)[] variables) => HubDownload.Model(HubReference.Parse(reference), settings: Settings(variables));

    private async Task<string> Refused(string reference, params (string Name, string Value)[] variables) =>
        (await Assert.ThrowsAsync<BrumaException>(() => HubDownload.Model(HubReference.Parse(reference), settings: Settings(variables)))).Message;

    private HubSettings Settings((string Name, string Value)[] variables) =>
        new(name => variables.FirstOrDefault(pair => pair.Name == name).Value ?? name switch { "HF_HUB_CACHE" => Cache, "HF_ENDPOINT" => _server.Endpoint, "HOME" => _folder.Root, _ => null });

    private static string[] FilesIn(string folder) => [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
}
