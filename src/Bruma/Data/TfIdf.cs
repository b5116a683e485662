using System.Text.RegularExpressions;

namespace Bruma.Data;

/// <summary>Bags of words, each word weighted by how rare it is: what a text classifier must beat.</summary>
/// <remarks>The defaults of scikit-learn: words of two letters or more in lower case, idf = ln((1 + n) / (1 + df)) + 1, rows of unit length.</remarks>
public sealed partial class TfIdf
{
    private readonly Dictionary<string, int> _places;
    private readonly double[] _weights;

    private TfIdf(Dictionary<string, int> places, double[] weights) => (_places, _weights) = (places, weights);

    /// <summary>Words known.</summary>
    public int Width => _weights.Length;

    /// <summary>Learns the words and their weights.</summary>
    public static TfIdf Fit(IReadOnlyCollection<string> texts)
    {
        var counts = texts.SelectMany(text => Words(text).Distinct()).CountBy(word => word).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        var places = counts.Select((pair, i) => (pair.Key, i)).ToDictionary(pair => pair.Key, pair => pair.i, StringComparer.Ordinal);
        return new TfIdf(places, [.. counts.Select(pair => Math.Log((1.0 + texts.Count) / (1 + pair.Value)) + 1)]);
    }

    /// <summary>Places and weights of a text's known words.</summary>
    public (int[]? Places, double[] Values) Of(string text)
    {
        var counts = Words(text).Where(_places.ContainsKey).CountBy(word => _places[word]).OrderBy(pair => pair.Key).ToList();
        var values = counts.Select(pair => pair.Value * _weights[pair.Key]).ToArray();
        var length = Math.Sqrt(values.Sum(value => value * value));
        return ([.. counts.Select(pair => pair.Key)], [.. values.Select(value => value / Math.Max(length, 1e-12))]);
    }

    private static IEnumerable<string> Words(string text) => Word().Matches(text.ToLowerInvariant()).Select(match => match.Value);

    [GeneratedRegex(@"\b\w\w+\b")]
    private static partial Regex Word();
}
