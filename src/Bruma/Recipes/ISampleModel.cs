using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>A model as a source of pictures to measure, whatever its family.</summary>
public interface ISampleModel : IDisposable
{
    /// <summary>What it draws with, for people: steps, guidance and the like.</summary>
    string Settings { get; }

    /// <summary>Whether it draws what a text says.</summary>
    bool TakesPrompts { get; }

    /// <summary>Draws a batch. Picture i of the whole set depends on <c>seed + i</c> and its prompt alone.</summary>
    /// <param name="first">Index of the batch's first picture in the whole set.</param>
    /// <param name="count">Pictures of the batch.</param>
    /// <param name="seed">Seed of picture 0.</param>
    /// <param name="prompts">One for every picture of the batch; null for a model without texts.</param>
    /// <returns>uint8 [count, C, H, W].</returns>
    Tensor Draw(int first, int count, long seed, IReadOnlyList<string>? prompts = null);
}
