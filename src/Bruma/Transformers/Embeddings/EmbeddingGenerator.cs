using Microsoft.Extensions.AI;

namespace Bruma.Transformers.Embeddings;

/// <summary>Text vectors behind the interface that .NET programs share (Microsoft.Extensions.AI).</summary>
/// <remarks>Calls are served one after the other, each on one thread. The embedder is disposed with the generator.</remarks>
public sealed class EmbeddingGenerator(ITextEmbedder embedder) : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly EmbeddingGeneratorMetadata _metadata = new("bruma", null, embedder.Name, embedder.Width);

    /// <param name="options"><c>Dimensions</c> cuts the vectors and makes what is left unit length.</param>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (options?.Dimensions is { } dimensions && (dimensions < 1 || dimensions > embedder.Width))
            throw new BrumaException($"Dimensions is {dimensions}; {embedder.Name} makes vectors of {embedder.Width}.");
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Generate(values, options?.Dimensions, cancellationToken), cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is not null
        ? null
        : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
        : serviceType.IsInstanceOfType(this) ? this
        : serviceType.IsInstanceOfType(embedder) ? embedder : null;

    public void Dispose()
    {
        embedder.Dispose();
        _turn.Dispose();
    }

    private GeneratedEmbeddings<Embedding<float>> Generate(IEnumerable<string> values, int? dimensions, CancellationToken cancellationToken)
    {
        var created = DateTimeOffset.UtcNow;
        var result = new GeneratedEmbeddings<Embedding<float>>();
        foreach (var (_, vectors) in embedder.InWindows(values, cancellationToken))
            result.AddRange(vectors.Select(vector => new Embedding<float>(dimensions is { } kept && kept < vector.Length ? WordVectors.Unit(vector[..kept]) : vector) { CreatedAt = created, ModelId = embedder.Name }));
        return result;
    }
}
