using System.Text.Json;
using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>One reference case: a folder with <c>case.json</c> and, mostly, <c>tensors.safetensors</c>.</summary>
public sealed class GoldenCase : IDisposable
{
    private readonly JsonDocument _json;
    private SafetensorsFile? _tensors;

    /// <param name="folder">The folder that holds <c>case.json</c>.</param>
    /// <param name="root">The root of the cases, for <c>$MODELS/</c> and <c>$DATA/</c>.</param>
    public GoldenCase(string folder, string root)
    {
        Folder = folder;
        Root = root;
        var file = Path.Combine(folder, "case.json");
        try
        {
            _json = PythonJson.Parse(File.ReadAllBytes(file));
            Id = _json.RootElement.GetProperty("id").GetString()!;
            Kind = _json.RootElement.GetProperty("kind").GetString()!;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new BrumaException($"{file}: not a case description ({e.Message.TrimEnd('.')}).", e);
        }
    }

    public string Folder { get; }

    public string Root { get; }

    public string Id { get; }

    public string Kind { get; }

    /// <summary>What to run; depends on the kind.</summary>
    public JsonElement Spec => _json.RootElement.GetProperty("spec");

    public double AbsoluteTolerance => Tolerance("atol");

    public double RelativeTolerance => Tolerance("rtol");

    public SafetensorsFile Tensors => _tensors ??= new SafetensorsFile(Path.Combine(Folder, "tensors.safetensors"));

    public bool Has(string name) => Tensors.Tensors.ContainsKey(name);

    /// <summary>A stored tensor; 16-bit floats widen to fp32, since all cases compute in fp32.</summary>
    public Tensor Tensor(string name)
    {
        var tensor = Tensors.Read(name);
        return tensor.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? tensor.to(ScalarType.Float32) : tensor;
    }

    /// <summary>The names of the stored tensors that start with the prefix.</summary>
    public IEnumerable<string> Names(string prefix = "") => Tensors.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>A path of the spec: relative to the case, or below <c>$MODELS/</c> or <c>$DATA/</c> of the shared folder.</summary>
    /// <exception cref="CaseSkippedException">The shared folder is not here.</exception>
    public string PathOf(string path)
    {
        foreach (var (prefix, folder) in new[] { ("$MODELS/", "models"), ("$DATA/", "data") })
            if (path.StartsWith(prefix, StringComparison.Ordinal))
            {
                var rest = path[prefix.Length..];
                var first = rest.Split('/')[0]; // other folders may hold a part of the material
                var found = SharedFolder.Find(Root, Path.Combine(folder, first)) ?? throw new CaseSkippedException($"needs {path}; set BRUMA_SHARED to the folder that holds {folder}/{first}");
                return Path.Combine(found, rest[first.Length..].TrimStart('/'));
            }
        return Path.GetFullPath(Path.Combine(Folder, path));
    }

    public void Dispose()
    {
        _tensors?.Dispose();
        _json.Dispose();
    }

    private double Tolerance(string name) =>
        _json.RootElement.TryGetProperty("tolerance", out var tolerance) && tolerance.TryGetProperty(name, out var value) ? value.GetDouble() : 0;
}

/// <summary>The case cannot run here, for the reason that the message gives.</summary>
public sealed class CaseSkippedException(string reason) : Exception(reason);
