using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using System.Text.RegularExpressions;
using Bruma.Hub;
using Bruma.Nn;

namespace Bruma.Transformers.Embeddings;

/// <param name="Width">D.</param>
/// <param name="Window">Words to either side at most; how many is drawn for each place.</param>
/// <param name="Negatives">Drawn words that are told apart from each true neighbour.</param>
/// <param name="MinCount">Rarer words are left out.</param>
/// <param name="Subsample">Words more frequent than this share are partly skipped; 0 skips none.</param>
/// <param name="LearningRate">Of the first word; it falls linearly to a ten-thousandth.</param>
public sealed record SkipGramOptions(int Width = 100, int Window = 5, int Negatives = 5, int Epochs = 5, int MinCount = 5, double Subsample = 1e-3, double LearningRate = 0.025, long Seed = 0);

/// <summary>Word vectors from a text: each word learns to tell its neighbours from drawn words.</summary>
/// <remarks>Mikolov et al. 2013, arXiv:1310.4546: skip-gram with negative sampling. One thread, so equal seeds give equal vectors.</remarks>
public sealed partial class SkipGram
{
    private const double NegativePower = 0.75;
    private const int NegativeTable = 1 << 20;

    private readonly SkipGramOptions _options;
    private readonly string[] _words;
    private readonly int[] _text;
    private readonly float[] _keep; // probability with which a word's place is kept
    private readonly int[] _negatives;
    private readonly float[][] _vectors;
    private readonly float[][] _contexts;
    private readonly float[] _gradient;
    private ulong _state;

    /// <exception cref="BrumaException">No word occurs often enough.</exception>
    public SkipGram(IEnumerable<string> lines, SkipGramOptions options)
    {
        _options = options;
        var tokens = lines.SelectMany(Words).ToList();
        var counts = tokens.CountBy(word => word).Where(pair => pair.Value >= options.MinCount).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        if (counts.Count < 2)
            throw new BrumaException($"The text has {tokens.Count} words and fewer than two that occur {options.MinCount} times; give a longer one.");
        _words = [.. counts.Select(pair => pair.Key)];
        var places = _words.Select((word, i) => (word, i)).ToDictionary(pair => pair.word, pair => pair.i, StringComparer.Ordinal);
        _text = [.. tokens.Where(places.ContainsKey).Select(word => places[word])];
        _keep = [.. counts.Select(pair => options.Subsample <= 0 ? 1 : (float)Math.Min(1, Math.Sqrt(options.Subsample * _text.Length / pair.Value) + options.Subsample * _text.Length / pair.Value))];
        _negatives = Table([.. counts.Select(pair => Math.Pow(pair.Value, NegativePower))]);
        _state = HashedSeed.Of(options.Seed, 6);
        _vectors = [.. _words.Select(_ => Enumerable.Range(0, options.Width).Select(_ => (Uniform() - 0.5f) / options.Width).ToArray())];
        _contexts = [.. _words.Select(_ => new float[options.Width])];
        _gradient = new float[options.Width];
    }

    /// <summary>Known words, the most frequent first.</summary>
    public IReadOnlyList<string> Vocabulary => _words;

    /// <summary>Words of the text that are known.</summary>
    public int Length => _text.Length;

    /// <summary>Trains on the whole text, epoch by epoch.</summary>
    /// <returns>The mean loss of each epoch.</returns>
    public IEnumerable<double> Train(CancellationToken cancellationToken = default)
    {
        for (var epoch = 0; epoch < _options.Epochs; epoch++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return Epoch(epoch);
        }
    }

    /// <summary>The vectors as they stand.</summary>
    public WordVectors Vectors() => new(_words, _vectors);

    /// <summary>Writes word2vec's text format: number of words and width, then a word and its numbers per line.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"{_words.Length} {_options.Width}\n"));
        for (var i = 0; i < _words.Length; i++)
            writer.Write($"{_words[i]} {string.Join(' ', _vectors[i].Select(value => value.ToString("G6", CultureInfo.InvariantCulture)))}\n");
    });

    /// <summary>Runs of letters, in lower case.</summary>
    public static IEnumerable<string> Words(string line) => Letters().Matches(line.ToLowerInvariant()).Select(match => match.Value);

    private double Epoch(int epoch)
    {
        var (loss, pairs) = (0.0, 0L);
        var total = (double)_text.Length * _options.Epochs;
        var kept = new List<int>(1024);
        for (var start = 0; start < _text.Length; start += 1000)
        {
            kept.Clear();
            for (var i = start; i < Math.Min(_text.Length, start + 1000); i++)
                if (_keep[_text[i]] >= 1 || Uniform() < _keep[_text[i]])
                    kept.Add(_text[i]);
            var rate = (float)(_options.LearningRate * Math.Max(1e-4, 1 - ((double)epoch * _text.Length + start) / total));
            for (var i = 0; i < kept.Count; i++)
            {
                var reach = 1 + (int)(Next() % (ulong)_options.Window);
                for (var j = Math.Max(0, i - reach); j <= Math.Min(kept.Count - 1, i + reach); j++)
                    if (j != i)
                    {
                        loss += Pair(kept[i], kept[j], rate);
                        pairs++;
                    }
            }
        }
        return loss / Math.Max(1, pairs);
    }

    /// <summary>One word learns one neighbour against drawn ones.</summary>
    private double Pair(int word, int neighbour, float rate)
    {
        var (vector, loss) = (_vectors[word], 0.0);
        Array.Clear(_gradient);
        for (var k = 0; k <= _options.Negatives; k++)
        {
            var other = k == 0 ? neighbour : _negatives[Next() % NegativeTable];
            if (k > 0 && other == neighbour)
                continue;
            var context = _contexts[other];
            var score = TensorPrimitives.Dot<float>(vector, context);
            var error = (k == 0 ? 1 : 0) - 1 / (1 + MathF.Exp(-score));
            loss += MathF.Log(1 + MathF.Exp(k == 0 ? -score : score));
            TensorPrimitives.MultiplyAdd(context, error * rate, _gradient, _gradient);
            TensorPrimitives.MultiplyAdd(vector, error * rate, context, context);
        }
        TensorPrimitives.Add(vector, _gradient, vector);
        return loss;
    }

    /// <summary>Words as often as their weights say, so that a draw is a look-up.</summary>
    private static int[] Table(double[] weights)
    {
        var (table, sum, reached, word) = (new int[NegativeTable], weights.Sum(), weights[0], 0);
        for (var i = 0; i < table.Length; i++)
        {
            while ((i + 0.5) / table.Length > reached / sum && word < weights.Length - 1)
                reached += weights[++word];
            table[i] = word;
        }
        return table;
    }

    private float Uniform() => (Next() >> 40) / (float)(1 << 24);

    /// <summary>SplitMix64: a state and a step.</summary>
    private ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    [GeneratedRegex(@"\p{L}+")]
    private static partial Regex Letters();
}
