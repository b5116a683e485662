using System.Text.Json;
using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Transformers.Embeddings;

/// <summary>How the states of tokens become one vector.</summary>
public enum Pooling
{
    Mean,
    FirstToken,
    Max,

    /// <summary>BERT's own: a tanh layer on the first token's state.</summary>
    Pooler,
}

/// <summary>Pooling over the tokens that count, and what sentence-transformers' files say about it.</summary>
public static class SentencePooling
{
    /// <param name="states">[B, T, D].</param>
    /// <param name="mask">1 for tokens, 0 for padding, [B, T].</param>
    /// <returns>[B, D].</returns>
    public static Tensor Of(Tensor states, Tensor mask, Pooling pooling)
    {
        using var scope = NewDisposeScope();
        var counted = mask.unsqueeze(-1).to(states.dtype);
        var pooled = pooling switch
        {
            Pooling.FirstToken => states.select(1, 0),
            Pooling.Max => states.masked_fill(counted == 0, finfo(states.dtype).min).amax([1]),
            _ => (states * counted).sum(1) / counted.sum(1).clamp_min(1e-9),
        };
        return pooled.MoveToOuterDisposeScope();
    }

    /// <summary>What <c>1_Pooling/config.json</c> asks for; the mean without that file.</summary>
    /// <exception cref="BrumaException">It asks for something that Bruma does not implement.</exception>
    public static Pooling Read(string folder)
    {
        var path = Path.Combine(folder, "1_Pooling", "config.json");
        if (!File.Exists(path))
            return Pooling.Mean;
        using var json = PythonJson.ParseFile(path);
        var asked = json.RootElement.EnumerateObject().Where(pair => pair.Name.StartsWith("pooling_mode_", StringComparison.Ordinal) && pair.Value.ValueKind == JsonValueKind.True).Select(pair => pair.Name["pooling_mode_".Length..]).ToList();
        return asked switch
        {
            ["mean_tokens"] => Pooling.Mean,
            ["cls_token"] => Pooling.FirstToken,
            ["max_tokens"] => Pooling.Max,
            _ => throw new BrumaException($"{path}: the pooling is {(asked.Count == 0 ? "not named" : string.Join(" with ", asked))}, which Bruma does not implement; it knows mean_tokens, cls_token and max_tokens."),
        };
    }

    /// <summary>The pooling of a name: mean, first, max or pooler.</summary>
    /// <param name="origin">Whose value it is, for messages.</param>
    public static Pooling Named(string name, string origin) => name switch
    {
        "mean" => Pooling.Mean,
        "first" or "cls" => Pooling.FirstToken,
        "max" => Pooling.Max,
        "pooler" => Pooling.Pooler,
        _ => throw new BrumaException($"{origin} is \"{name}\"; expected mean, first, max or pooler."),
    };

    /// <summary>Whether a file lists the step that makes unit vectors; so it is without a list of steps.</summary>
    internal static bool Normalizes(string folder)
    {
        var path = Path.Combine(folder, "modules.json");
        return !File.Exists(path) || File.ReadAllText(path).Contains("models.Normalize", StringComparison.Ordinal);
    }
}
