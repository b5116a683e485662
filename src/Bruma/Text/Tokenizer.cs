namespace Bruma.Text;

/// <summary>What a tokenizer's folder says beyond the rules of splitting.</summary>
/// <param name="MaxLength">Tokens that the network takes; null where it does not say.</param>
/// <param name="PadId">Null when the vocabulary has no padding token.</param>
/// <param name="CleanUpSpaces">Whether decoding removes blanks before punctuation, as English has it.</param>
/// <param name="PadLeft">Whether padding goes before the text, as generation needs it.</param>
/// <param name="TruncateLeft">Whether truncation takes from the beginning.</param>
public sealed record TokenizerOptions(int? MaxLength = null, int? PadId = null, int? BosId = null, int? EosId = null, int? UnknownId = null, bool CleanUpSpaces = false, bool PadLeft = false, bool TruncateLeft = false);

/// <summary>The steps from text to ids and back.</summary>
internal sealed record TokenizerSteps(Func<string, string> Normalize, Func<string, IEnumerable<string>> Split, ITokenModel Model, SpecialTokenTemplate Template, Func<IReadOnlyList<string>, string> Join)
{
    /// <summary>Splits a stretch between added tokens; differs from <see cref="Split"/> where the beginning of the whole text is special.</summary>
    public Func<string, bool, IEnumerable<string>>? SplitAt { get; init; }
}

/// <summary>Text to ids and back, as the tokenizers of transformers have it.</summary>
/// <remarks>Instances do not change and may serve several threads; <see cref="With"/> gives one with more tokens.</remarks>
public sealed class Tokenizer
{
    private readonly TokenizerSteps _steps;
    private readonly IReadOnlyList<AddedToken> _added;
    private readonly AddedTokens _raw;
    private readonly AddedTokens _normalized;
    private readonly Dictionary<int, string> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<int> _special;

    internal Tokenizer(TokenizerSteps steps, IReadOnlyList<AddedToken> added, TokenizerOptions options)
    {
        (_steps, _added, Options) = (steps, added, options);
        _raw = new AddedTokens(added.Where(token => !token.Normalized));
        _normalized = new AddedTokens(added.Where(token => token.Normalized).Select(token => token with { Content = steps.Normalize(token.Content) }));
        foreach (var (token, id) in steps.Model.Vocabulary.Concat(added.Select(token => KeyValuePair.Create(token.Content, token.Id))))
            (_tokens[id], _ids[token]) = (token, id);
        _special = [.. added.Where(token => token.Special).Select(token => token.Id)];
    }

    public TokenizerOptions Options { get; }

    /// <summary>One more than the largest id.</summary>
    public int VocabularySize => _tokens.Count == 0 ? 0 : _tokens.Keys.Max() + 1;

    /// <summary>Reads a tokenizer's folder: <c>tokenizer.json</c>, or <c>vocab.json</c> with <c>merges.txt</c>, or <c>vocab.txt</c>, and the configs beside them.</summary>
    /// <param name="vocabularyFolder">Where the vocabulary is when it is not in the folder; the configs stay those of the folder.</param>
    /// <exception cref="BrumaException">A file is missing or damaged, or asks for something that Bruma does not implement.</exception>
    public static Tokenizer Load(string folder, string? vocabularyFolder = null) => TokenizerFolder.Load(folder, vocabularyFolder ?? folder);

    /// <summary>The same with further tokens behind the vocabulary, found in the raw text before everything else.</summary>
    public Tokenizer With(IEnumerable<string> tokens, bool special = false)
    {
        var next = VocabularySize;
        var added = new List<AddedToken>(_added);
        foreach (var token in tokens)
            if (_ids.ContainsKey(token) || added.Exists(known => known.Content == token))
                throw new BrumaException($"The vocabulary has a token \"{token}\" already; choose another name.");
            else
                added.Add(new AddedToken(token, next++, special));
        return new Tokenizer(_steps, added, Options);
    }

    /// <summary>The id of a token as the vocabulary spells it; null when there is none.</summary>
    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    /// <summary>The token of an id as the vocabulary spells it.</summary>
    /// <exception cref="BrumaException">There is no such id.</exception>
    public string TokenOf(int id) => _tokens.TryGetValue(id, out var token) ? token : throw new BrumaException($"The vocabulary has no id {id}; it has {VocabularySize} ids.");

    /// <summary>The ids of a text, whatever its length.</summary>
    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true)
    {
        var ids = Pieces(text);
        return addSpecialTokens ? _steps.Template.Apply(ids, null).Ids : ids;
    }

    /// <summary>The ids of one text or of two, cut and filled as asked.</summary>
    /// <param name="pair">The second text; null or empty for none.</param>
    public TokenizedText Encode(string text, string? pair, EncodingOptions options) => EncodeBatch([(text, pair)], options)[0];

    /// <summary>Several texts; with <see cref="Padding.Longest"/> or <see cref="Padding.MaxLength"/> all of one length.</summary>
    public IReadOnlyList<TokenizedText> EncodeBatch(IReadOnlyList<(string Text, string? Pair)> texts, EncodingOptions options)
    {
        var cut = texts.Select(text => Cut(Pieces(text.Text), string.IsNullOrEmpty(text.Pair) ? null : Pieces(text.Pair), options)).ToList();
        var length = PaddedLength(cut, options);
        return [.. cut.Select(text => Fill(text.Ids, text.TypeIds, length))];
    }

    /// <inheritdoc cref="EncodeBatch(IReadOnlyList{ValueTuple{string, string?}}, EncodingOptions)"/>
    public IReadOnlyList<TokenizedText> EncodeBatch(IEnumerable<string> texts, EncodingOptions options) => EncodeBatch([.. texts.Select(text => (text, (string?)null))], options);

    /// <summary>The text of ids.</summary>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true)
    {
        var text = _steps.Join([.. ids.Where(id => !skipSpecialTokens || !_special.Contains(id)).Select(TokenOf)]);
        return Options.CleanUpSpaces ? TokenDecoders.CleanUp(text) : text;
    }

    private List<int> Pieces(string text)
    {
        var ids = new List<int>();
        var first = true;
        foreach (var (token, part) in _raw.Split(UnicodeText.Valid(text)))
        {
            if (token is not null)
                ids.Add(token.Id);
            else
                foreach (var (inner, stretch) in _normalized.Split(_steps.Normalize(part)))
                {
                    if (inner is not null)
                        ids.Add(inner.Id);
                    else
                        foreach (var piece in _steps.SplitAt?.Invoke(stretch, first) ?? _steps.Split(stretch))
                            _steps.Model.Encode(piece, ids);
                    first = false;
                }
            first = false;
        }
        return ids;
    }

    private (List<int> Ids, List<int> TypeIds) Cut(List<int> first, List<int>? second, EncodingOptions options)
    {
        var template = options.AddSpecialTokens ? _steps.Template : SpecialTokenTemplate.None;
        if (options.Truncation != Truncation.None && (options.MaxLength ?? Options.MaxLength) is { } limit)
            TokenTruncation.Cut(first, second, limit - template.Added(second is not null), options.Truncation, Options.TruncateLeft);
        return template.Apply(first, second);
    }

    private int PaddedLength(List<(List<int> Ids, List<int> TypeIds)> texts, EncodingOptions options)
    {
        var length = options.Padding switch
        {
            Padding.Longest => texts.Count == 0 ? 0 : texts.Max(text => text.Ids.Count),
            Padding.MaxLength => options.MaxLength ?? Options.MaxLength ?? throw new BrumaException("Padding to the greatest length needs one: the tokenizer's config has no \"model_max_length\"; give MaxLength."),
            _ => 0,
        };
        return options.PadToMultipleOf is { } multiple and > 0 ? (length + multiple - 1) / multiple * multiple : length;
    }

    private TokenizedText Fill(List<int> ids, List<int> typeIds, int length)
    {
        var missing = Math.Max(0, length - ids.Count);
        var pad = missing == 0 ? 0 : Options.PadId ?? throw new BrumaException("The tokenizer has no padding token (\"pad_token\"), so texts of different lengths make no batch; encode them one by one or set the token.");
        return new TokenizedText(Filled(ids, pad), Filled(typeIds, 0), Filled([.. Enumerable.Repeat(1, ids.Count)], 0));

        int[] Filled(List<int> values, int with) => Options.PadLeft ? [.. Enumerable.Repeat(with, missing), .. values] : [.. values, .. Enumerable.Repeat(with, missing)];
    }
}
