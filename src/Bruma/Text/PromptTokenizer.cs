namespace Bruma.Text;

/// <summary>How a prompt is read.</summary>
public enum PromptSyntax
{
    /// <summary>As diffusers does: brackets are text, what does not fit into one window of the encoder is cut off.</summary>
    Plain,

    /// <summary>As A1111 does: weights in brackets, BREAK, as many windows as the prompt needs.</summary>
    A1111,
}

/// <summary>One window of the text encoder: the ids with begin, end and padding, and a weight for each.</summary>
public sealed record PromptChunk(IReadOnlyList<int> Ids, IReadOnlyList<double> Weights);

/// <summary>Prompts to windows of ids; knows tokens that stand for several vectors (textual inversion).</summary>
public sealed class PromptTokenizer
{
    /// <summary>How far back A1111 looks for a comma, to break a full window there.</summary>
    private const int CommaReach = 20;

    private readonly Tokenizer _tokenizer;
    private readonly Dictionary<int, int[]> _several;
    private readonly int _begin;
    private readonly int _end;
    private readonly int _comma;

    /// <param name="tokenizer">CLIP's.</param>
    /// <param name="length">Tokens of a window, begin and end included.</param>
    public PromptTokenizer(Tokenizer tokenizer, int length = 77) : this(tokenizer, length, [])
    {
    }

    private PromptTokenizer(Tokenizer tokenizer, int length, Dictionary<int, int[]> several)
    {
        (_tokenizer, Length, _several) = (tokenizer, length, several);
        _begin = tokenizer.Options.BosId ?? throw new BrumaException("the tokenizer has no begin token (\"bos_token\"), which prompts need; take CLIP's.");
        _end = tokenizer.Options.EosId ?? throw new BrumaException("the tokenizer has no end token (\"eos_token\"), which prompts need; take CLIP's.");
        _comma = tokenizer.IdOf(",</w>") ?? -1;
    }

    public int Length { get; }

    /// <summary>The id behind the last word.</summary>
    public int EndId => _end;

    /// <summary>One more than the largest id.</summary>
    public int VocabularySize => _tokenizer.VocabularySize;

    private int Room => Length - 2;

    /// <summary>The same with a further token that stands for several vectors: <c>tok</c>, <c>tok_1</c>, ... at the end of the vocabulary.</summary>
    public PromptTokenizer With(string token, int vectors)
    {
        string[] names = [token, .. Enumerable.Range(1, vectors - 1).Select(i => $"{token}_{i}")];
        var tokenizer = _tokenizer.With(names);
        var ids = names.Select(name => tokenizer.IdOf(name)!.Value).ToArray();
        return new PromptTokenizer(tokenizer, Length, new(_several) { [ids[0]] = ids });
    }

    /// <summary>The windows of a prompt: one when plain, at least one in A1111's reading.</summary>
    public IReadOnlyList<PromptChunk> Read(string prompt, PromptSyntax syntax) => syntax == PromptSyntax.Plain ? [Plain(prompt)] : Weighted(PromptWeights.Parse(prompt));

    /// <summary>The words of the first window with the places of their tokens in it.</summary>
    public IReadOnlyList<(string Word, int First, int Count)> Words(string prompt, PromptSyntax syntax)
    {
        var words = new List<(string Word, int First, int Count)>();
        var ids = Read(prompt, syntax)[0].Ids;
        for (var (at, first) = (1, 1); at < ids.Count && ids[at] != _end; at++)
            if (_tokenizer.TokenOf(ids[at]) is var token && (token.EndsWith("</w>", StringComparison.Ordinal) || ids[at] >= _several.Keys.DefaultIfEmpty(int.MaxValue).Min()))
            {
                words.Add((_tokenizer.Decode(ids.Skip(first).Take(at - first + 1)).Trim(), first, at - first + 1));
                first = at + 1;
            }
        return words;
    }

    private PromptChunk Plain(string prompt) => Window([.. Ids(prompt).SelectMany(group => group).Take(Room).Select(id => (id, 1.0))]);

    private List<PromptChunk> Weighted(IReadOnlyList<PromptPart> parts)
    {
        var chunks = new List<PromptChunk>();
        var (current, comma) = (new List<(int Id, double Weight)>(), -1);
        foreach (var part in parts)
        {
            if (part.IsBreak)
                Close(0);
            else
                foreach (var group in Ids(part.Text))
                    Append(group, part.Weight);
        }
        if (current.Count > 0 || chunks.Count == 0)
            Close(0);
        return chunks;

        void Append(int[] group, double weight)
        {
            if (group is [var only] && only == _comma)
                comma = current.Count;
            else if (current.Count == Room && comma >= 0 && current.Count - comma <= CommaReach)
                Close(current.Count - comma - 1);
            if (current.Count + Math.Min(group.Length, Room) > Room)
                Close(0);
            current.AddRange(group.Take(Room).Select(id => (id, weight)));
        }

        // ends the window; its last tokens may move to the next
        void Close(int moved)
        {
            chunks.Add(Window(current[..^moved]));
            (current, comma) = (current[^moved..], -1);
        }
    }

    private PromptChunk Window(List<(int Id, double Weight)> tokens)
    {
        var rest = Length - tokens.Count - 2;
        return new PromptChunk(
            [_begin, .. tokens.Select(token => token.Id), _end, .. Enumerable.Repeat(_tokenizer.Options.PadId ?? _end, rest)],
            [1, .. tokens.Select(token => token.Weight), 1, .. Enumerable.Repeat(1.0, rest)]);
    }

    /// <summary>The ids, those of one embedding together.</summary>
    private IEnumerable<int[]> Ids(string text) => _tokenizer.Encode(text, addSpecialTokens: false).Select(id => _several.GetValueOrDefault(id) ?? [id]);
}
