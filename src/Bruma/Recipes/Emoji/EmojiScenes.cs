using Bruma.Data.Emoji;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>Draws scenes that training may see: nothing held out, as a picture, a colour, a pair or a name.</summary>
public sealed class EmojiScenes
{
    private readonly EmojiDataset _data;
    private readonly EmojiSplits _splits;
    private readonly DominantColour?[] _dominant;
    private readonly List<int> _shown;
    private readonly List<int> _coloured;
    private readonly List<int> _countable;
    private readonly List<int> _toned;
    private readonly Dictionary<int, List<int>> _byStyle;
    private readonly HashSet<string> _hiddenNames;

    public EmojiScenes(EmojiDataset data, EmojiSplits splits)
    {
        (_data, _splits) = (data, splits);
        var pixels = data.Pixels;
        _dominant = new DominantColour?[data.Pictures.Count];
        Parallel.For(0, _dominant.Length, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            using var own = NewDisposeScope();
            _dominant[i] = EmojiRecolour.Dominant(pixels[i]);
        });
        bool Shown(EmojiPicture picture) => data.Concepts[picture.Concept].IsDrawable && !splits.HidesPicture(data.Index.Styles[picture.Style], data.Concepts[picture.Concept].Codepoints);
        _shown = [.. Enumerable.Range(0, data.Pictures.Count).Where(i => Shown(data.Pictures[i]))];
        _toned = [.. Enumerable.Range(0, data.Index.Toned.Count).Where(i => Shown(data.Index.Toned[i]))];
        _coloured = [.. _shown.Where(i => _dominant[i] is not null && ConceptOf(i).Group != "people-body")];
        _countable = [.. _shown.Where(i => EmojiCaptions.IsCountable(ConceptOf(i)))];
        _byStyle = _countable.GroupBy(i => data.Pictures[i].Style).ToDictionary(group => group.Key, group => group.ToList());
        _hiddenNames = [.. data.Concepts.Where(concept => splits.HidesConcept(concept.Codepoints)).Select(concept => concept.English)];
    }

    /// <summary>Pictures that can be shown alone.</summary>
    public IReadOnlyList<int> Shown => _shown;

    /// <summary>The dominant colour of a picture; null for none.</summary>
    internal DominantColour? DominantOf(int picture) => _dominant[picture];

    /// <summary>The picture alone, with the name of its own colour.</summary>
    public EmojiScene Plain(int picture, bool mirror = false) =>
        new(SceneKind.Plain, picture, Colour: _dominant[picture] is { } own ? Index(EmojiRecolour.Name(own)) : -1, Mirror: mirror);

    /// <summary>A composed scene: recoloured or on a ground 45 %, several 18 %, a pair 16 %, resized 10 %, with a skin tone 11 %.</summary>
    public EmojiScene Composed(HashedDraws draws)
    {
        while (true)
            if (TryCompose(draws.Next(), draws) is { } scene)
                return scene;
    }

    /// <summary>Held-out scenes (H3), in any order: learned pictures in a colour that they are never shown in, and pairs in an order that is never shown.</summary>
    public IEnumerable<EmojiScene> HeldOut(HashedDraws draws)
    {
        while (_coloured.Count > 0 && _countable.Count > 0)
        {
            if (Recoloured(draws, heldOut: true) is { } recoloured)
                yield return recoloured;
            if (Pair(draws, heldOut: true) is { } pair)
                yield return pair;
        }
    }

    private EmojiScene? TryCompose(double kind, HashedDraws draws) => kind switch
    {
        < 0.27 when _coloured.Count > 0 => Recoloured(draws, heldOut: false),
        < 0.45 => new EmojiScene(SceneKind.OnGround, draws.Of(_shown), Colour: draws.Below(EmojiRecolour.Colours.Count)),
        < 0.63 when _countable.Count > 0 => new EmojiScene(SceneKind.Several, draws.Of(_countable), Number: 2 + draws.Below(3)),
        < 0.79 when _countable.Count > 0 => Pair(draws, heldOut: false) is { } pair ? pair with { Relation = (SceneRelation)draws.Below(5) } : null,
        < 0.89 => new EmojiScene(SceneKind.Resized, draws.Of(_shown), Number: draws.Chance(0.5) ? 60 : 120),
        _ when _toned.Count > 0 => draws.Below(_toned.Count) is var toned ? new EmojiScene(SceneKind.Toned, toned, Number: _data.Index.Toned[toned].Tone) : null,
        _ => null,
    };

    /// <summary>Null where the colour is the picture's own, is not (or is) held out, or would spell the name of a held-out concept.</summary>
    private EmojiScene? Recoloured(HashedDraws draws, bool heldOut)
    {
        var (picture, colour) = (draws.Of(_coloured), draws.Of(EmojiRecolour.Colours));
        var concept = ConceptOf(picture);
        return EmojiRecolour.Name(_dominant[picture]!) == colour || _splits.HidesColour(colour.English, concept.Codepoints) != heldOut || _hiddenNames.Contains(EmojiCaptions.Recoloured(concept, colour).English)
            ? null
            : new EmojiScene(SceneKind.Recoloured, picture, Colour: Index(colour));
    }

    /// <summary>Two of one style, side by side; null where the order is not (or is) held out or it is the same concept twice.</summary>
    private EmojiScene? Pair(HashedDraws draws, bool heldOut)
    {
        var first = draws.Of(_countable);
        var second = draws.Of(_byStyle[_data.Pictures[first].Style]);
        return ConceptOf(first) == ConceptOf(second) || EmojiSplits.HidesPair(ConceptOf(first).Codepoints, ConceptOf(second).Codepoints) != heldOut
            ? null
            : new EmojiScene(SceneKind.Pair, first, second);
    }

    private EmojiConcept ConceptOf(int picture) => _data.Concepts[_data.Pictures[picture].Concept];

    private static int Index(NamedColour colour) => EmojiRecolour.Colours.TakeWhile(other => other != colour).Count();
}
