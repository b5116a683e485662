using System.Text.Encodings.Web;
using System.Text.Json;
using Bruma.Hub;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Metrics;

/// <summary>The folder of a scorer: weights in fp16, what its heads name, the tokenizer.</summary>
public static class EmojiScorerFiles
{
    /// <summary>What <c>config.json</c> calls it.</summary>
    public const string ModelType = "emoji-scorer";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>What a scorer was made for.</summary>
    private sealed record Description(string ModelType, int VocabSize, int HiddenSize, int NumHiddenLayers, int NumAttentionHeads, int MaxPositionEmbeddings, int ProjectionDim, IReadOnlyList<string> Styles, IReadOnlyList<string> Concepts);

    /// <param name="what">The text encoder's config; code points and styles in the order of the heads.</param>
    /// <param name="tokenizer">Folder to copy.</param>
    public static void Write(string folder, IEnumerable<KeyValuePair<string, Tensor>> weights, (ClipTextConfig Config, IReadOnlyList<string> Concepts, IReadOnlyList<string> Styles) what, string tokenizer)
    {
        var config = what.Config;
        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), weights, floats: float16);
        AtomicFile.CopyFolder(tokenizer, Path.Combine(folder, "tokenizer"));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(
            new Description(ModelType, (int)config.VocabSize, (int)config.HiddenSize, config.NumHiddenLayers, config.NumAttentionHeads, (int)config.MaxPositionEmbeddings, (int)config.ProjectionDim, what.Styles, what.Concepts), Indented) + "\n");
    }

    /// <summary>Loads a scorer in fp32, ready to judge.</summary>
    /// <exception cref="BrumaException">The folder has none, or a damaged one.</exception>
    public static LoadedScorer Read(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        Description? about;
        try
        {
            about = JsonSerializer.Deserialize<Description>(File.ReadAllBytes(path), Indented);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BrumaException($"{path}: no scorer there ({e.Message.TrimEnd('.')}); train one with bruma train text-to-image --recipe emoji.", e);
        }
        if (about?.ModelType != ModelType)
            throw new BrumaException($"{path}: \"model_type\" is \"{about?.ModelType}\", expected \"{ModelType}\"; give the scorer of the emoji recipe.");
        var network = new EmojiScorer(EmojiScorer.TextConfig((about.VocabSize, about.MaxPositionEmbeddings), about.HiddenSize, about.NumHiddenLayers, about.NumAttentionHeads, about.ProjectionDim), about.Concepts.Count, about.Styles.Count);
        using (var weights = new SafetensorsFile(Path.Combine(folder, "model.safetensors")))
            ModuleWeights.Load(network, weights);
        network.eval();
        return new LoadedScorer(network, Path.Combine(folder, "tokenizer"), about.Concepts, about.Styles);
    }
}

/// <summary>A scorer with what its heads name.</summary>
/// <param name="Tokenizer">Its folder.</param>
/// <param name="Concepts">Code points.</param>
public sealed record LoadedScorer(EmojiScorer Network, string Tokenizer, IReadOnlyList<string> Concepts, IReadOnlyList<string> Styles) : IDisposable
{
    public void Dispose() => Network.Dispose();
}
