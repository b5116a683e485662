using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>What the network sees of captions: encoded once where the text encoders are frozen, and kept in memory and on disk.</summary>
/// <param name="isTrained">Whether the text encoders change from step to step.</param>
/// <param name="files">Null keeps none on disk.</param>
internal sealed class TextCache(BaseModel model, bool isTrained, TextFiles? files = null) : IDisposable
{
    private const int Most = 20_000; // captions in memory

    private readonly Dictionary<string, PromptEmbedding> _known = new(StringComparer.Ordinal);

    /// <returns>In the caller's scope.</returns>
    public UNetConditioning Condition(IReadOnlyList<string> captions, PictureSize size)
    {
        if (isTrained)
            return model.Condition(captions, size, withGradients: is_grad_enabled());
        var texts = captions.Select(Embedding).ToList();
        var pooled = texts[0].Pooled is null ? null : cat([.. texts.Select(text => text.Pooled!)]);
        return model.With(new PromptEmbedding(cat([.. texts.Select(text => text.Context)]), pooled), captions.Count, size);
    }

    public void Dispose()
    {
        foreach (var text in _known.Values)
        {
            text.Context.Dispose();
            text.Pooled?.Dispose();
        }
        _known.Clear();
    }

    private PromptEmbedding Embedding(string caption)
    {
        if (_known.TryGetValue(caption, out var known))
            return known;
        if (_known.Count >= Most)
            Dispose();
        var text = files?.Find(caption) ?? Encoded(caption);
        text.Context.DetachFromDisposeScope();
        text.Pooled?.DetachFromDisposeScope();
        return _known[caption] = text;
    }

    private PromptEmbedding Encoded(string caption)
    {
        var text = model.Prompts.Encode([caption], default);
        files?.Keep(caption, text);
        return text;
    }
}
