using System.Security.Cryptography;
using System.Text;
using Bruma.Hub;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Encoded captions on disk, each under the sum of its text, of the text encoders and of their tokenizers: a changed caption invalidates only itself.</summary>
internal sealed class TextFiles
{
    private const string Context = "context";
    private const string Pooled = "pooled";

    private readonly string _folder;

    private TextFiles(string sum) => _folder = Path.Combine(UserCache.Root, "texts", sum[..16]);

    public static TextFiles For(BaseModel model)
    {
        var parts = new[] { "", "_2" }.Where(end => model.Sources.Has($"text_encoder{end}")).SelectMany(end => Directory.EnumerateFiles(model.Sources.PathOf($"tokenizer{end}")).Order(StringComparer.Ordinal)
            .Append(Path.Combine(model.Sources.PathOf($"text_encoder{end}"), "config.json"))
            .Append(ModelFolder.FindWeights(model.Sources.PathOf($"text_encoder{end}"), model.Sources.Variant)));
        return new TextFiles(Sum(string.Join('\n', parts.Select(FileHash.Sha256))));
    }

    /// <returns>In the caller's scope; null where it is not there, or damaged.</returns>
    public PromptEmbedding? Find(string caption) =>
        StoredTensors.Find(PathOf(caption)) is { } found && found.TryGetValue(Context, out var context) ? new PromptEmbedding(context, found.GetValueOrDefault(Pooled)) : null;

    public void Keep(string caption, PromptEmbedding text)
    {
        var tensors = new Dictionary<string, Tensor> { [Context] = text.Context };
        if (text.Pooled is { } pooled)
            tensors[Pooled] = pooled;
        SafetensorsFile.Write(PathOf(caption), tensors);
    }

    private string PathOf(string caption) => Path.Combine(_folder, $"{Sum(caption)}.safetensors");

    private static string Sum(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
