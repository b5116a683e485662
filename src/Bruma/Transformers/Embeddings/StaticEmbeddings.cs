using Bruma.Hub;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Transformers.Embeddings;

/// <summary>A table of vectors, one per token, without context: a text is the mean of its tokens.</summary>
public sealed class StaticEmbeddings : ITextEmbedder
{
    public const string ModelType = "static-embedding";

    private readonly Tokenizer _tokenizer;
    private readonly Tensor _table; // fp32 [V, D]

    private StaticEmbeddings(string folder, Tensor table)
    {
        Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        _tokenizer = TokenizerMatch.Load(folder, (int)table.shape[0]);
        _table = table.DetachFromDisposeScope();
    }

    public string Name { get; }

    public int Width => (int)_table.shape[1];

    /// <summary>Nothing is cut: a mean takes any length.</summary>
    public long Truncated => 0;

    /// <summary>Loads a folder with <c>config.json</c> (<c>tensor</c> names the table), <c>model.safetensors</c> and the tokenizer.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or asks for something that Bruma does not implement.</exception>
    public static StaticEmbeddings Load(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        using var scope = NewDisposeScope();
        using var config = PythonJson.ParseFile(path);
        var root = config.RootElement;
        if (root.TryGetProperty("pooling", out var pooling) && pooling.GetString() != "mean")
            throw new BrumaException($"{path}: \"pooling\" is \"{pooling}\", which Bruma does not implement; it knows \"mean\".");
        var name = root.TryGetProperty("tensor", out var tensor) ? tensor.GetString()! : "embedding.weight";
        using var weights = ModelFolder.Open(folder);
        var table = weights.Read(name, ScalarType.Float32);
        if (table.dim() != 2)
            throw new BrumaException($"{weights.Origin}: \"{name}\" is [{string.Join(", ", table.shape)}]; expected one row per token.");
        return new StaticEmbeddings(folder, table);
    }

    /// <summary>The tokens of a text, without special ones.</summary>
    public IReadOnlyList<int> Encode(string text) => _tokenizer.Encode(text, addSpecialTokens: false);

    public Tensor Embed(IReadOnlyList<string> texts)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var result = zeros([texts.Count, Width], float32);
        for (var i = 0; i < texts.Count; i++)
        {
            using var part = NewDisposeScope();
            var ids = Encode(texts[i]);
            if (ids.Count > 0)
                result[i].copy_(_table.index_select(0, tensor(ids.Select(id => (long)id).ToArray())).mean([0]));
        }
        return result.MoveToOuterDisposeScope();
    }

    public void Dispose() => _table.Dispose();
}
