using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>What the network is told of a prompt.</summary>
/// <param name="Context">[B, T, D].</param>
/// <param name="Pooled">One vector for the whole prompt, [B, P], for Stable Diffusion XL; else null.</param>
public sealed record PromptEmbedding(Tensor Context, Tensor? Pooled = null)
{
    /// <summary>One prompt's embedding for as many samples.</summary>
    internal PromptEmbedding Repeat(int times) => new(Context.repeat_interleave(times, 0), Pooled?.repeat_interleave(times, 0));

    /// <summary>On the straight line to another.</summary>
    internal PromptEmbedding Towards(PromptEmbedding other, double share)
    {
        if (Context.shape[1] != other.Context.shape[1])
            throw new BrumaException($"one prompt fills {Context.shape[1]} places of the text encoder, the other {other.Context.shape[1]}; make them of similar length.");
        return new(Context.lerp(other.Context, share), Pooled?.lerp(other.Pooled!, share));
    }

    /// <summary>What a network sees that was trained to know an empty prompt as zeros.</summary>
    internal PromptEmbedding Zeros() => new(zeros_like(Context), Pooled is null ? null : zeros_like(Pooled));

    internal PromptEmbedding MoveToOuterDisposeScope()
    {
        Context.MoveToOuterDisposeScope();
        Pooled?.MoveToOuterDisposeScope();
        return this;
    }
}

/// <summary>How prompts become embeddings.</summary>
/// <param name="ClipSkip">Layers of the encoder that are left out at its end; null or 0 for none.</param>
public readonly record struct PromptReading(PromptSyntax Syntax = PromptSyntax.Plain, int? ClipSkip = null);

/// <summary>Prompts to embeddings, with one text encoder (SD 1.x, 2.x, the XL refiner) or two (SDXL).</summary>
/// <remarks>One encoder gives its last hidden state after the final norm. Where the network also takes a pooled text (XL), it is the state before the last
/// layer, without norm, of all encoders side by side.</remarks>
/// <param name="encoders">One or two.</param>
/// <param name="isXl">Whether the network takes a pooled text.</param>
/// <param name="zerosWithoutNegative">Whether no negative prompt means zeros (<c>force_zeros_for_empty_prompt</c>); an empty one is encoded all the same.</param>
public sealed class PromptEncoder(IReadOnlyList<TextEncoder> encoders, bool isXl, bool zerosWithoutNegative = false) : IDisposable
{
    public IReadOnlyList<TextEncoder> Encoders { get; } = encoders;

    public bool IsXl => isXl;

    /// <summary>Reads <c>text_encoder/</c>, <c>tokenizer/</c> and, for XL, their seconds.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged.</exception>
    public static PromptEncoder Load(ModelSources sources, ScalarType dtype = ScalarType.Float32)
    {
        var second = sources.Has("text_encoder_2");
        var encoders = new List<TextEncoder>();
        if (sources.Has("text_encoder"))
            encoders.Add(new TextEncoder(sources.Tokenizer("tokenizer"), sources.LoadTextEncoder(dtype)));
        if (second)
            encoders.Add(new TextEncoder(sources.Tokenizer("tokenizer_2"), sources.LoadSecondTextEncoder(dtype)));
        if (encoders.Count == 0)
            throw new BrumaException($"{sources.Folder}: has no text_encoder/, so it takes no prompts; choose a Stable Diffusion model.");
        return new PromptEncoder(encoders, second, second && sources.ZerosWithoutNegative);
    }

    /// <summary>What guidance steers away from. In diffusers' reading no layer is left out for it.</summary>
    /// <param name="positive">The prompts' embedding, [B, T, D].</param>
    /// <param name="prompts">B negative prompts; null for none.</param>
    public PromptEmbedding EncodeNegative(PromptEmbedding positive, IReadOnlyList<string>? prompts, PromptReading reading, IReadOnlyList<string>? second = null) =>
        prompts is null && zerosWithoutNegative ? positive.Zeros() : Encode(
            prompts ?? [.. Enumerable.Repeat("", (int)positive.Context.shape[0])], reading.Syntax == PromptSyntax.Plain ? reading with { ClipSkip = null } : reading, second);

    /// <param name="prompts">B texts.</param>
    /// <param name="second">B texts for the second encoder; null for the same.</param>
    /// <param name="withGradients">Whether gradients flow to the encoders.</param>
    public PromptEmbedding Encode(IReadOnlyList<string> prompts, PromptReading reading, IReadOnlyList<string>? second = null, bool withGradients = false)
    {
        using var scope = NewDisposeScope();
        using var still = set_grad_enabled(withGradients);
        var texts = Encoders.Select((encoder, i) => (i == 0 && Encoders.Count > 1 ? prompts : second ?? prompts).Select(text => encoder.Prompts.Read(text, reading.Syntax)).ToList()).ToList();
        var windows = texts.Max(prompt => prompt.Max(chunks => chunks.Count));
        var parts = Encoders.Select((encoder, i) => Encode(encoder, texts[i], windows, reading)).ToList();
        var context = parts.Count == 1 ? parts[0].Context : cat([.. parts.Select(part => part.Context)], -1);
        return new PromptEmbedding(context, isXl ? parts[^1].Pooled : null).MoveToOuterDisposeScope();
    }

    private PromptEmbedding Encode(TextEncoder encoder, List<IReadOnlyList<PromptChunk>> prompts, int windows, PromptReading reading)
    {
        var (contexts, pooled) = (new List<Tensor>(), (Tensor?)null);
        for (var window = 0; window < windows; window++)
        {
            var chunks = prompts.Select(chunks => window < chunks.Count ? chunks[window] : encoder.Prompts.Read("", reading.Syntax)[0]).ToList();
            var output = encoder.Run(chunks);
            contexts.Add(Emphasized(Hidden(encoder, output, reading.ClipSkip ?? 0), chunks));
            pooled ??= output.Pooled;
        }
        return new PromptEmbedding(contexts.Count == 1 ? contexts[0] : cat([.. contexts], 1), pooled);
    }

    private Tensor Hidden(TextEncoder encoder, TransformerOutput output, int skip)
    {
        var deepest = encoder.Config.NumHiddenLayers - (isXl ? 1 : 0);
        if (skip < 0 || skip > deepest)
            throw new BrumaException($"clip_skip is {skip}; the text encoder has {encoder.Config.NumHiddenLayers} layers, so 0 to {deepest} can be left out.");
        if (isXl)
            return output.HiddenStates[^(skip + 2)];
        return skip == 0 ? output.LastHiddenState : encoder.FinalNorm(output.HiddenStates[^(skip + 1)]);
    }

    /// <summary>Multiplies each token's vector by its weight and keeps the mean of the window, as A1111 does.</summary>
    private static Tensor Emphasized(Tensor hidden, List<PromptChunk> chunks)
    {
        if (chunks.TrueForAll(chunk => chunk.Weights.All(weight => weight == 1)))
            return hidden;
        var weights = tensor([.. chunks.SelectMany(chunk => chunk.Weights)], [chunks.Count, chunks[0].Weights.Count, 1], hidden.dtype, hidden.device); // [B, T, 1]
        var weighted = hidden * weights;
        var kept = hidden.mean([1, 2], keepdim: true) / weighted.mean([1, 2], keepdim: true);
        return where(weights.amax([1, 2], keepdim: true).eq(1).logical_and(weights.amin([1, 2], keepdim: true).eq(1)), hidden, weighted * kept);
    }

    public void Dispose()
    {
        foreach (var encoder in Encoders)
            encoder.Dispose();
    }
}
