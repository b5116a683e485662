using Bruma.Metrics;
using Bruma.Nn;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>How often pictures are what was asked for.</summary>
/// <param name="Top1">Share whose likeliest concept is the one asked for, of all 1,679.</param>
/// <param name="Top5">Share with it among the five likeliest.</param>
/// <param name="Style">Share in the style asked for.</param>
/// <param name="Retrieval">R-precision: share that is nearer to its own caption than to 99 others of the set.</param>
internal sealed record EmojiAccuracy(double Top1, double Top5, double Style, double Retrieval);

/// <summary>What the scorer says of pictures.</summary>
/// <param name="Features">fp32 [N, 256].</param>
/// <param name="Vectors">Of unit length, fp32 [N, P].</param>
/// <param name="Concepts">Logits, fp32 [N, K].</param>
/// <param name="Styles">Logits, fp32 [N, S].</param>
internal sealed record EmojiOpinion(Tensor Features, Tensor Vectors, Tensor Concepts, Tensor Styles);

/// <summary>Judges pictures by a scorer that never taught the generator.</summary>
internal sealed class EmojiJudge(LoadedScorer scorer)
{
    private const int Batch = 64;
    private const int Captions = 100;
    private const int Likeliest = 5;
    private const long Choosing = 53;

    private readonly Tokenizer _tokenizer = Tokenizer.Load(scorer.Tokenizer);

    /// <param name="picture">Makes a picture when it is its turn, so that few are in memory; fp32 [3, 64, 64] in [-1, 1].</param>
    public EmojiOpinion Of<T>(IEnumerable<T> all, Func<T, Tensor> picture)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var parts = new List<EmojiOpinion>();
        foreach (var part in all.Chunk(Batch))
        {
            using var own = NewDisposeScope();
            var features = scorer.Network.Features(stack([.. part.Select(picture)]));
            var (vectors, concepts, styles) = scorer.Network.Judge(features);
            parts.Add(new EmojiOpinion(features.MoveToOuterDisposeScope(), vectors.MoveToOuterDisposeScope(), concepts.MoveToOuterDisposeScope(), styles.MoveToOuterDisposeScope()));
        }
        Tensor Join(Func<EmojiOpinion, Tensor> of) => cat([.. parts.Select(of)]).MoveToOuterDisposeScope();
        return new EmojiOpinion(Join(part => part.Features), Join(part => part.Vectors), Join(part => part.Concepts), Join(part => part.Styles));
    }

    /// <returns>Of unit length, fp32 [N, P].</returns>
    public Tensor Read(IEnumerable<string> captions)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        return cat([.. captions.Chunk(Batch).Select(part => scorer.Network.Captions(EmojiCorpus.Ids(_tokenizer, part, Padding.Longest)))]).MoveToOuterDisposeScope();
    }

    /// <param name="captions">Of <see cref="Read"/>, in the order of the prompts.</param>
    public static EmojiAccuracy Accuracy(EmojiOpinion opinion, IReadOnlyList<EmojiPrompt> prompts, Tensor captions)
    {
        using var scope = NewDisposeScope();
        var (top1, top5) = Recognised(opinion, [.. prompts.Select(prompt => prompt.Concepts)]);
        var styles = opinion.Styles.argmax(1).data<long>().ToArray();
        var similarity = opinion.Vectors.matmul(captions.t()).data<float>().ToArray();
        double Share(Func<int, bool> holds) => Enumerable.Range(0, prompts.Count).Average(i => holds(i) ? 1.0 : 0);
        return new EmojiAccuracy(
            top1,
            top5,
            Share(i => prompts[i].Style == styles[i]),
            Share(i => IsFound(i, prompts, similarity.AsSpan(i * prompts.Count, prompts.Count))));
    }

    /// <summary>Shares of pictures whose likeliest concept is among those asked for, and one of whose five likeliest is.</summary>
    /// <param name="asked">Concepts of each picture.</param>
    public static (double Top1, double Top5) Recognised(EmojiOpinion opinion, IReadOnlyList<IReadOnlyList<int>> asked)
    {
        using var scope = NewDisposeScope();
        var likeliest = opinion.Concepts.topk(Likeliest, 1).Item2.data<long>().ToArray();
        double Share(int places) => Enumerable.Range(0, asked.Count).Average(i => Enumerable.Range(Likeliest * i, places).Any(place => asked[i].Contains((int)likeliest[place])) ? 1.0 : 0);
        return (Share(1), Share(Likeliest));
    }

    private static bool IsFound(int i, IReadOnlyList<EmojiPrompt> prompts, ReadOnlySpan<float> similarity)
    {
        var draws = new HashedDraws(Choosing, i);
        for (var others = 1; others < Math.Min(Captions, prompts.Count); others++)
        {
            var other = draws.Below(prompts.Count);
            if (prompts[other].Caption != prompts[i].Caption && similarity[other] >= similarity[i])
                return false;
        }
        return true;
    }
}
