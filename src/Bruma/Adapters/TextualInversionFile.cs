using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Adapters;

/// <summary>Word vectors that were learned for something that has no word: a file of textual inversion.</summary>
/// <remarks>Gal et al. 2022, arXiv:2208.01618. Layouts: A1111's <c>.pt</c> (<c>string_to_param</c>), <c>{"emb_params": [n, D]}</c>, <c>{token: [n, D] or [D]}</c>, and SDXL's <c>clip_l</c> and <c>clip_g</c>.</remarks>
public sealed class TextualInversionFile : IDisposable
{
    private static readonly string[] Names = ["learned_embeds.safetensors", "learned_embeds.bin"];

    private TextualInversionFile(string origin, string token, Tensor vectors, Tensor? second) => (Origin, Token, Vectors, SecondVectors) = (origin, token, vectors, second);

    public string Origin { get; }

    /// <summary>What stands for the vectors in a prompt.</summary>
    public string Token { get; }

    /// <summary>For the (first) text encoder, [n, D], fp32.</summary>
    public Tensor Vectors { get; }

    /// <summary>For SDXL's second text encoder, [n, D2], fp32; null where the file has none.</summary>
    public Tensor? SecondVectors { get; }

    /// <summary>The words that are added to the vocabulary, one per vector: <c>tok</c>, <c>tok_1</c>, ...; in a prompt the first stands for all of them.</summary>
    public IReadOnlyList<string> Tokens => [Token, .. Enumerable.Range(1, (int)Vectors.shape[0] - 1).Select(i => $"{Token}_{i}")];

    /// <param name="path">A file, a run's folder, or a folder with <c>learned_embeds.safetensors</c>.</param>
    /// <param name="token">The word to use; null for the file's own, which is its name where it says nothing.</param>
    /// <exception cref="BrumaException">The file is damaged or holds something else.</exception>
    public static TextualInversionFile Load(string path, string? token = null)
    {
        var file = FindFile(path);
        using var source = CheckpointFile.Open(file);
        using var scope = NewDisposeScope();
        var (name, first, second) = Locate(source);
        var word = token ?? name ?? Path.GetFileNameWithoutExtension(file);
        if (string.IsNullOrWhiteSpace(word))
            throw new BrumaException($"{path}: has an empty name; say which word shall stand for it.");
        return new TextualInversionFile(path, word, Read(source, first), second is null ? null : Read(source, second));
    }

    /// <summary>Writes <c>{token: [n, D]}</c>, the layout of diffusers.</summary>
    public static void WriteDiffusers(string path, string token, Tensor vectors, IReadOnlyDictionary<string, string>? metadata = null) => Write(path, token, vectors, metadata);

    /// <summary>Writes <c>{"emb_params": [n, D]}</c>, the layout of A1111's safetensors; the file's name is the word there.</summary>
    public static void WriteA1111(string path, Tensor vectors, IReadOnlyDictionary<string, string>? metadata = null) => Write(path, "emb_params", vectors, metadata);

    public void Dispose()
    {
        Vectors.Dispose();
        SecondVectors?.Dispose();
    }

    private static void Write(string path, string key, Tensor vectors, IReadOnlyDictionary<string, string>? metadata) =>
        SafetensorsFile.Write(path, [new(key, vectors)], new Dictionary<string, string>(metadata ?? new Dictionary<string, string>()) { ["format"] = "pt" });

    /// <summary>The word that the file names, and the keys of its vectors.</summary>
    private static (string? Name, string First, string? Second) Locate(ITensorSource source)
    {
        var keys = source.Tensors.Keys.Where(key => source.Tensors[key].Shape.Length > 0).ToList();
        if (keys.Where(key => key.StartsWith("string_to_param.", StringComparison.Ordinal)).ToList() is [var a1111, ..])
            return (source.Metadata.GetValueOrDefault("name"), a1111, null);
        if (keys.Contains("emb_params"))
            return (source.Metadata.GetValueOrDefault("name"), "emb_params", null);
        if (keys.Contains("clip_l"))
            return (null, "clip_l", keys.Contains("clip_g") ? "clip_g" : null);
        return keys is [var token]
            ? (token, token, null)
            : throw new BrumaException($"{source.Origin}: holds {keys.Count} tensors ({string.Join(", ", keys.Take(4))}{(keys.Count > 4 ? ", ..." : "")}) where a textual inversion has one per text encoder; give a file of learned word vectors.");
    }

    private static Tensor Read(ITensorSource source, string key)
    {
        var info = source.Tensors[key];
        if (info.Shape is not ([> 0] or [> 0, > 0]) || !(info.DType.StartsWith('F') || info.DType == "BF16"))
            throw new BrumaException($"{source.Origin}: \"{key}\" is {info} where word vectors [n, D] were expected; give a file of textual inversion.");
        var values = source.Read(key, float32);
        if (!values.isfinite().all().item<bool>())
            throw new BrumaException($"{source.Origin}: \"{key}\" holds values that are not finite; it is damaged or its training failed.");
        return values.view(-1, values.shape[^1]).DetachFromDisposeScope();
    }

    private static string FindFile(string path)
    {
        if (!Directory.Exists(path))
            return path;
        foreach (var folder in new[] { path, Path.Combine(path, "model") })
            if (Array.Find(Names, name => File.Exists(Path.Combine(folder, name))) is { } found)
                return Path.Combine(folder, found);
        throw new BrumaException($"{path}: holds no {Names[0]}; give a run of bruma train textual-inversion or the file itself.");
    }
}
