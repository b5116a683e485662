using Bruma.Data;

namespace Bruma.Recipes.Adaptation;

/// <summary>Pictures seen from further away: the largest square around a known head, with captions of its own.</summary>
/// <param name="places">Where the pictures of another set stand in this one.</param>
internal sealed class WideSet(LatentSet set, IReadOnlyDictionary<int, int> places) : IDisposable
{
    public LatentSet Set => set;

    /// <param name="index">In the set of close squares.</param>
    /// <returns>Null where nothing is said of the wide square.</returns>
    public int? Find(int index) => places.TryGetValue(index, out var place) ? place : null;

    /// <param name="names">The pictures of the set of close squares.</param>
    /// <returns>Null where no picture has captions for it.</returns>
    public static WideSet? Load(ImageSource source, IReadOnlyList<string> names, LatentCache cache, (int Resolution, bool Flip) cut)
    {
        var indices = names.Index().ToDictionary(pair => pair.Item, pair => pair.Index, StringComparer.Ordinal);
        var chosen = Enumerable.Range(0, source.Examples.Count).Where(i => indices.ContainsKey(source.Examples[i].Name) && Captions.Wide(source.Examples[i]) is not null).ToList();
        if (chosen.Count == 0)
            return null;
        var set = LatentSet.Load(new ImageSubset(source, chosen, "from further away"), example => Captions.Wide(example)!, cache, ((picture, example) => PictureSquare.Cut(picture, example, cut.Resolution, wide: true), cut.Flip));
        return new WideSet(set, set.Names.Index().ToDictionary(pair => indices[pair.Item], pair => pair.Index));
    }

    public void Dispose() => set.Dispose();
}
