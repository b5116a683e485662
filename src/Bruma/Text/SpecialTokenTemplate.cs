namespace Bruma.Text;

/// <summary>A place in a template: a text, or special tokens.</summary>
/// <param name="Text">0 for the first text, 1 for the second; null for special tokens.</param>
internal readonly record struct TemplatePart(int? Text, int[] Ids, int TypeId);

/// <summary>Where special tokens stand around one text and around two.</summary>
internal sealed record SpecialTokenTemplate(IReadOnlyList<TemplatePart> Single, IReadOnlyList<TemplatePart> Pair)
{
    /// <summary>The bare texts.</summary>
    public static SpecialTokenTemplate None { get; } = new([new TemplatePart(0, [], 0)], [new TemplatePart(0, [], 0), new TemplatePart(1, [], 1)]);

    /// <summary>begin A end, and begin A end B end with the second text's type, as BERT has them.</summary>
    public static SpecialTokenTemplate Bert(int begin, int end) => new(
        [Special(begin), First, Special(end)],
        [Special(begin), First, Special(end), new TemplatePart(1, [], 1), Special(end, 1)]);

    /// <summary>begin A end, and begin A end end B end with one type, as RoBERTa and CLIP have them.</summary>
    public static SpecialTokenTemplate Roberta(int begin, int end) => new(
        [Special(begin), First, Special(end)],
        [Special(begin), First, Special(end), Special(end), new TemplatePart(1, [], 0), Special(end)]);

    private static TemplatePart First => new(0, [], 0);

    /// <summary>How many special tokens are added.</summary>
    public int Added(bool pair) => (pair ? Pair : Single).Sum(part => part.Ids.Length);

    public (List<int> Ids, List<int> TypeIds) Apply(IReadOnlyList<int> first, IReadOnlyList<int>? second)
    {
        var (ids, types) = (new List<int>(), new List<int>());
        foreach (var part in second is null ? Single : Pair)
        {
            var added = part.Text switch { 0 => first, 1 => second!, _ => part.Ids };
            ids.AddRange(added);
            types.AddRange(Enumerable.Repeat(part.TypeId, added.Count));
        }
        return (ids, types);
    }

    private static TemplatePart Special(int id, int typeId = 0) => new(null, [id], typeId);
}
