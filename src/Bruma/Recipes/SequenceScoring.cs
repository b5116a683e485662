using Bruma.Data.Sequences;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Lets an encoder-decoder write targets and counts how many are exactly right.</summary>
public static class SequenceScoring
{
    private const int BatchSize = 100;

    /// <param name="longest">Tokens of a target at most, its end included.</param>
    /// <returns>What was written for each example.</returns>
    public static IReadOnlyList<string> Write(SequenceTransformer network, CharacterVocabulary vocabulary, IReadOnlyList<SequenceExample> examples, int longest, int beams = 1)
    {
        var written = new List<string>();
        var options = new GenerationOptions(longest, NumBeams: beams, EndIds: [CharacterVocabulary.EosId]);
        foreach (var part in examples.Chunk(BatchSize))
        {
            using var scope = NewDisposeScope();
            using var batch = SequenceBatch.Of(part, vocabulary);
            using var decoding = new SequenceDecoding(network, batch.Source, batch.SourceMask);
            var texts = TokenGeneration.Run(decoding, [.. part.Select(_ => (IReadOnlyList<long>)[CharacterVocabulary.BosId])], options);
            written.AddRange(texts.Select(text => vocabulary.Decode(text.Tokens)));
        }
        return written;
    }

    /// <summary>Share of texts that are right to the last character.</summary>
    public static double Exact(IReadOnlyList<SequenceExample> examples, IReadOnlyList<string> written) =>
        examples.Count == 0 ? 0 : (double)examples.Zip(written).Count(pair => pair.First.Target == pair.Second) / examples.Count;
}
