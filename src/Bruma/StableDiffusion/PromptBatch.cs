namespace Bruma.StableDiffusion;

/// <summary>A prompt between prompts: vectors on the straight line.</summary>
/// <param name="Share">0 stays, 1 arrives.</param>
public sealed record PromptMix(string Prompt, double Share);

/// <summary>The prompts of a batch, one entry per prompt in each list.</summary>
/// <param name="NegativePrompts">Null for none.</param>
/// <param name="Prompts2">For XL's second encoder; null for the same.</param>
/// <param name="NegativePrompts2">See <paramref name="Prompts2"/>.</param>
public sealed record PromptBatch(IReadOnlyList<string> Prompts, IReadOnlyList<string>? NegativePrompts = null, IReadOnlyList<string>? Prompts2 = null, IReadOnlyList<string>? NegativePrompts2 = null)
{
    /// <summary>Moves all prompts towards another; null for nothing.</summary>
    public PromptMix? Mix { get; init; }

    /// <summary>One prompt, with the others of a request.</summary>
    public PromptBatch(string prompt, ImageRequest request)
        : this([prompt], One(request.NegativePrompt), One(request.Prompt2), One(request.NegativePrompt2))
    {
    }

    private static string[]? One(string? text) => text is null ? null : [text];
}
