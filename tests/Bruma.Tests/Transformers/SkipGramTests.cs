using Bruma.Transformers.Embeddings;

namespace Bruma.Tests.Transformers;

public sealed class SkipGramTests
{
    [Fact]
    public void Words_of_like_company_come_together_and_equal_seeds_agree()
    {
        var lines = Enumerable.Range(0, 600).Select(i => i % 2 == 0 ? $"the {(i % 4 == 0 ? "cat" : "dog")} eats fresh meat" : $"the {(i % 4 == 1 ? "saw" : "axe")} cuts dry wood").ToList();
        var options = new SkipGramOptions(Width: 16, Window: 3, Epochs: 4, Subsample: 0);
        var (first, second) = (new SkipGram(lines, options), new SkipGram(lines, options));
        var losses = first.Train().ToList();
        Assert.Equal(losses, second.Train());
        Assert.True(losses[^1] < losses[0]);
        var words = first.Vectors();
        Assert.True(words.Cosine("cat", "dog") > words.Cosine("cat", "axe"));
    }

    [Fact]
    public void A_text_without_repeated_words_is_refused() =>
        Assert.Contains("fewer than two", Assert.Throws<BrumaException>(() => new SkipGram(["one two three"], new SkipGramOptions())).Message, StringComparison.Ordinal);

    [Fact]
    public void A_neighbour_map_keeps_groups_together_and_weighs_as_many_neighbours_as_asked()
    {
        var random = new Random(4);
        float[] Near(int group) => [.. Enumerable.Range(0, 30).Select(i => (float)((i % 3 == group ? 1 : 0) + 0.3 * (random.NextDouble() - 0.5)))];
        var vectors = Enumerable.Range(0, 45).Select(i => Near(i % 3)).ToList();
        var map = NeighbourMap.Of(vectors, 5);
        Assert.Equal(map, NeighbourMap.Of(vectors, 5));
        for (var i = 0; i < map.Count; i++)
        {
            var nearest = Enumerable.Range(0, map.Count).Where(j => j != i).MinBy(j => Math.Pow(map[i].X - map[j].X, 2) + Math.Pow(map[i].Y - map[j].Y, 2));
            Assert.Equal(i % 3, nearest % 3);
        }
        var affinities = NeighbourMap.Affinities(vectors, 5);
        Assert.Equal(1, affinities.Cast<double>().Sum(), 1e-9);
        var alike = NeighbourMap.Affinities([.. Enumerable.Range(0, 6).Select(i => Enumerable.Range(0, 6).Select(j => i == j ? 1f : 0f).ToArray())], 5); // all as far from one another
        Assert.Equal(1.0 / 30, alike[0, 1], 1e-9);
    }

    [Fact]
    public void Separation_is_one_for_groups_apart_and_nothing_for_equal_vectors()
    {
        string[] groups = ["a", "a", "b", "b"];
        var apart = Separation.Of([[1, 0], [1, 0], [0, 1], [0, 1]], groups);
        Assert.Equal((1, 0, 1, 1), (apart.Within, apart.Between, apart.Silhouette, apart.NearestIsOfGroup));
        var equal = Separation.Of([[1, 0], [1, 0], [1, 0], [1, 0]], groups);
        Assert.Equal(0, equal.Silhouette);
        Assert.Equal(1.0 / 3, equal.NearestIsOfGroup, 1e-9);
    }
}
