namespace Bruma.StableDiffusion;

/// <summary>A file or folder that took part, with its SHA-256 where it was computed.</summary>
/// <param name="Name">As the user gave it.</param>
/// <param name="Sha256">Of the file; of a folder over its files of weights.</param>
/// <param name="Weight">Of an adapter.</param>
/// <param name="Component">The network that an adapter belongs to whose file does not say so; null for the first that fits.</param>
public sealed record NamedFile(string Name, string? Path = null, string? Sha256 = null, double? Weight = null, string? Component = null);

/// <summary>What a pipeline was loaded from and what was added to it.</summary>
/// <param name="Name">As the user gave it: a path, a hub's id, the name of an installed model.</param>
/// <param name="Path">Where it lies.</param>
public sealed record ModelIdentity(string Name, string? Path)
{
    public IReadOnlyList<NamedFile> Adapters { get; init; } = [];

    public IReadOnlyList<NamedFile> Embeddings { get; init; } = [];

    /// <summary>The autoencoder in place of the model's own; null for that.</summary>
    public NamedFile? Autoencoder { get; init; }

    public string Precision { get; init; } = "fp32";

    /// <summary>The same file with its sum, which is computed once per file and kept in the user's cache.</summary>
    public static NamedFile Hashed(NamedFile file) => file.Sha256 is null && file.Path is { } path ? file with { Sha256 = WeightsHash.Of(path) } : file;
}
