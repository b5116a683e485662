namespace Bruma.Recipes.Finetuning;

/// <summary>What a frozen network makes of each example, kept over the runs of a comparison: none of them changes it, whatever the seed and the split.</summary>
internal sealed class FrozenVectors
{
    private readonly Dictionary<int, float[]> _vectors = [];

    /// <summary>The vectors of these examples in their order.</summary>
    /// <param name="compute">Called with those that are not known yet, in parts.</param>
    public IReadOnlyList<float[]> Of(IReadOnlyList<int> examples, int part, Func<int[], IReadOnlyList<float[]>> compute)
    {
        foreach (var unknown in examples.Where(example => !_vectors.ContainsKey(example)).Chunk(part))
            foreach (var (example, vector) in unknown.Zip(compute(unknown)))
                _vectors[example] = vector;
        return [.. examples.Select(example => _vectors[example])];
    }
}
