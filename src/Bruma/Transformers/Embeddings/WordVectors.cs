using System.Numerics.Tensors;

namespace Bruma.Transformers.Embeddings;

/// <summary>A word, or text, with how close it is.</summary>
public readonly record struct Neighbour(string Text, double Cosine);

/// <summary>Named vectors: who is near whom, and analogies by adding and subtracting.</summary>
public sealed class WordVectors
{
    private readonly float[][] _units;
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    /// <param name="names">Of the vectors, without repetition.</param>
    public WordVectors(IReadOnlyList<string> names, IReadOnlyList<float[]> vectors)
    {
        Names = names;
        _units = [.. vectors.Select(Unit)];
        for (var i = 0; i < names.Count; i++)
            _places[names[i]] = i;
    }

    public IReadOnlyList<string> Names { get; }

    public bool Has(string name) => _places.ContainsKey(name);

    /// <summary>The vector at unit length; zero stays zero.</summary>
    /// <exception cref="BrumaException">There is no such word.</exception>
    public IReadOnlyList<float> Of(string name) => UnitOf(name);

    public double Cosine(string a, string b) => TensorPrimitives.Dot<float>(UnitOf(a), UnitOf(b));

    /// <summary>All cosines, row by row.</summary>
    public double[,] Similarity()
    {
        var cosines = new double[_units.Length, _units.Length];
        for (var i = 0; i < _units.Length; i++)
            for (var j = 0; j < _units.Length; j++)
                cosines[i, j] = TensorPrimitives.Dot<float>(_units[i], _units[j]);
        return cosines;
    }

    /// <summary>The nearest by cosine, without the word itself.</summary>
    public IReadOnlyList<Neighbour> Nearest(string name, int count) => Nearest(UnitOf(name), count, name);

    /// <summary>The nearest to any vector.</summary>
    public IReadOnlyList<Neighbour> Nearest(ReadOnlySpan<float> vector, int count, params string[] without)
    {
        var unit = Unit(vector.ToArray());
        return [.. _units.Select((other, i) => new Neighbour(Names[i], TensorPrimitives.Dot<float>(unit, other)))
            .Where(found => !without.Contains(found.Text)).OrderByDescending(found => found.Cosine).Take(count)];
    }

    /// <summary>a is to b as c is to whom: the nearest to b - a + c of unit vectors, without these three.</summary>
    /// <remarks>Mikolov et al. 2013, arXiv:1301.3781.</remarks>
    public IReadOnlyList<Neighbour> Analogy(string a, string b, string c, int count)
    {
        var (from, to, of) = (UnitOf(a), UnitOf(b), UnitOf(c));
        var target = new float[to.Length];
        for (var i = 0; i < target.Length; i++)
            target[i] = to[i] - from[i] + of[i];
        return Nearest(target, count, a, b, c);
    }

    internal static float[] Unit(float[] vector)
    {
        var length = TensorPrimitives.Norm<float>(vector);
        var unit = new float[vector.Length];
        if (length > 0)
            TensorPrimitives.Divide(vector, length, unit);
        return unit;
    }

    private float[] UnitOf(string name) => _places.TryGetValue(name, out var place) ? _units[place] : throw new BrumaException($"\"{name}\" is not among the {Names.Count} words; take one that is.");
}
