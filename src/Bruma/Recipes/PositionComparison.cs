using System.Diagnostics;
using Bruma.Data;
using Bruma.Data.Sequences;
using Bruma.Nn;
using Bruma.Text;
using Bruma.Training;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes;

/// <summary>How one position encoding did.</summary>
/// <param name="Kind">One of <see cref="PositionScheme.Kinds"/>.</param>
/// <param name="Exact">Share of letters strings that are right as a whole, at each of <see cref="PositionComparison.Factors"/> times the trained length.</param>
/// <param name="Characters">Share of letters that are right at their place.</param>
/// <param name="BitsPerCharacter">Of the language model on held-out text, at so many times the trained context; empty without a text.</param>
/// <param name="Parameters">Of the encoder-decoder.</param>
public sealed record PositionResult(string Kind, IReadOnlyList<double> Exact, IReadOnlyList<double> Characters, IReadOnlyList<double> BitsPerCharacter, long Parameters, double Seconds);

/// <summary>Trains the same small transformer with each position encoding: on letters to be put in order and on characters of a text.</summary>
public sealed class PositionComparison(PositionOptions options)
{
    private const int Batches = 20;

    /// <summary>Lengths are measured as multiples of the trained one.</summary>
    public static IReadOnlyList<int> Factors { get; } = [1, 2, 4];

    /// <summary>One result after the other.</summary>
    /// <exception cref="BrumaException">The text is missing or too short.</exception>
    public IEnumerable<PositionResult> Run(CancellationToken cancellation = default)
    {
        var text = options.Text is null ? null : LettersOfText.Of(TextCorpus.Read(options.Text), options);
        foreach (var kind in options.Compared)
        {
            cancellation.ThrowIfCancellationRequested();
            var watch = Stopwatch.StartNew();
            var (exact, characters, parameters) = Sequences(kind, cancellation);
            var bits = text is null ? [] : Characters(kind, text, cancellation);
            yield return new PositionResult(kind, exact, characters, bits, parameters, watch.Elapsed.TotalSeconds);
        }
    }

    private (double[] Exact, double[] Characters, long Parameters) Sequences(string kind, CancellationToken cancellation)
    {
        var task = new ShuffleTask(options.Task, options.Length, Math.Min(2, options.Length));
        var vocabulary = new CharacterVocabulary(task.Characters);
        using var network = new SequenceTransformer(new SequenceTransformerConfig(vocabulary.Size, options.Plan, kind, Factors[^1] * options.Length + 2));
        using (var start = HashedSeed.At(options.Seed, 0))
            network.Reset(start);
        Train(
            network,
            (SequenceBatch batch, Generator _) => SequenceLoss.Mean(network.call(new SequencePair(batch.Source, batch.SourceMask, batch.Input)), batch.Labels, CharacterVocabulary.PadId),
            options.Steps,
            new SequenceBatches(task, vocabulary, options.BatchSize, options.Seed).From,
            cancellation);
        var measured = Factors.Select(factor => Measure(network, vocabulary, task.HeldOut(options.Examples, factor * options.Length))).ToList();
        return ([.. measured.Select(pair => pair.Exact)], [.. measured.Select(pair => pair.Characters)], network.parameters().Sum(parameter => parameter.numel()));
    }

    private static (double Exact, double Characters) Measure(SequenceTransformer network, CharacterVocabulary vocabulary, IReadOnlyList<SequenceExample> examples)
    {
        var written = SequenceScoring.Write(network, vocabulary, examples, examples[0].Target.Length + 1);
        var right = examples.Zip(written).Sum(pair => pair.First.Target.Zip(pair.Second).Count(letters => letters.First == letters.Second));
        return (SequenceScoring.Exact(examples, written), (double)right / examples.Sum(example => example.Target.Length));
    }

    private double[] Characters(string kind, LettersOfText text, CancellationToken cancellation)
    {
        using var network = new DecoderTransformer(text.Vocabulary, options.Plan, kind, Factors[^1] * options.Context);
        using (var start = HashedSeed.At(options.Seed, 0))
            network.Reset(start);
        Train(
            network,
            (TokenWindow batch, Generator _) => SequenceLoss.Next(network.call(batch.Ids, default), batch.Ids),
            options.TextSteps,
            new TokenWindows(text.Training, (options.BatchSize, options.Context), options.Seed).From,
            cancellation);
        return [.. Factors.Select(factor => Bits(network, new TokenWindows(text.HeldOut, (options.BatchSize, factor * options.Context), 0)))];
    }

    private static double Bits(DecoderTransformer network, TokenWindows windows)
    {
        var losses = new List<double>();
        foreach (var batch in windows.InOrder().Take(Batches))
            using (batch)
            using (NewDisposeScope())
            using (no_grad())
                losses.Add(SequenceLoss.Next(network.call(batch.Ids, default), batch.Ids).item<float>());
        return losses.Average() / Math.Log(2);
    }

    private void Train<TBatch>(Module network, BatchLoss<TBatch> loss, int steps, Func<long, IEnumerable<TBatch>> batches, CancellationToken cancellation)
        where TBatch : IDisposable
    {
        var schedule = new LearningRateSchedule("cosine", options.LearningRate, Math.Max(1, steps / 20), steps);
        using var trainer = new Trainer<TBatch>(network, loss, new TrainerOptions(steps, schedule, new AdamWOptions(options.LearningRate, Beta2: 0.98), null, Seed: options.Seed));
        foreach (var _ in trainer.Run(batches, cancellation))
        {
            // only the end counts
        }
        cancellation.ThrowIfCancellationRequested();
        network.eval();
    }

    /// <summary>A text as characters: its beginning to learn from, its last tenth to measure.</summary>
    private sealed record LettersOfText(int Vocabulary, int[] Training, int[] HeldOut)
    {
        private const int MostCharacters = 3_000_000;

        public static LettersOfText Of(string text, PositionOptions options)
        {
            text = text[..Math.Min(text.Length, MostCharacters)];
            var vocabulary = CharacterVocabulary.Of([text]);
            var ids = vocabulary.Encode(text).Select(id => (int)id).ToArray();
            var held = ids.Length / 10;
            if (held < Factors[^1] * options.Context)
                throw new BrumaException($"{options.Text}: {ids.Length} characters are too few to measure windows of {Factors[^1] * options.Context} on a tenth of them; give a longer text.");
            return new LettersOfText(vocabulary.Size, ids[..^held], ids[^held..]);
        }
    }
}
