using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Transformers.Embeddings;

/// <summary>Turns texts into vectors of one length.</summary>
public interface ITextEmbedder : IDisposable
{
    /// <summary>What it was loaded from.</summary>
    string Name { get; }

    /// <summary>D.</summary>
    int Width { get; }

    /// <summary>Texts that were longer than the network takes and were cut, so far.</summary>
    long Truncated { get; }

    /// <param name="texts">At most some thousands; see <see cref="TextEmbedders.InWindows"/> for more.</param>
    /// <returns>fp32 [texts, D], in the order of the texts.</returns>
    Tensor Embed(IReadOnlyList<string> texts);
}

/// <summary>Loads whatever makes vectors of texts, and feeds it streams of any length.</summary>
public static class TextEmbedders
{
    private const int Window = 2048;

    /// <summary>A folder of transformers or sentence-transformers (BERT family), or of static vectors (<c>model_type</c> <c>static-embedding</c>).</summary>
    /// <param name="precision">In which the network computes; static vectors are fp32 always.</param>
    /// <exception cref="BrumaException">A file is missing or damaged, or the network is of a kind that makes no text vectors.</exception>
    public static ITextEmbedder Load(string folder, ScalarType precision = ScalarType.Float32)
    {
        using var config = PythonJson.ParseFile(Path.Combine(folder, "config.json"));
        return config.RootElement.TryGetProperty("model_type", out var type) && type.GetString() == StaticEmbeddings.ModelType
            ? StaticEmbeddings.Load(folder)
            : SentenceEmbedder.Load(folder, precision);
    }

    /// <summary>Embeds a stream: memory is bounded by the window, and within it texts of like length share a batch.</summary>
    /// <returns>Each window's texts and vectors, in order; each row is one text's.</returns>
    public static IEnumerable<(IReadOnlyList<string> Texts, float[][] Vectors)> InWindows(this ITextEmbedder embedder, IEnumerable<string> texts, CancellationToken cancellationToken = default)
    {
        foreach (var window in texts.Chunk(Window))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var vectors = embedder.Embed(window);
            yield return (window, vectors.Rows());
        }
    }

    /// <summary>The rows of a matrix as arrays.</summary>
    /// <param name="matrix">fp32 [N, D].</param>
    public static float[][] Rows(this Tensor matrix)
    {
        var width = (int)matrix.shape[1];
        var values = matrix.data<float>().ToArray();
        return [.. Enumerable.Range(0, (int)matrix.shape[0]).Select(row => values[(row * width)..((row + 1) * width)])];
    }
}
