using System.Text.Json;
using Bruma.Hub;
using Bruma.Text;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>What was written.</summary>
/// <param name="Text">Behind the prompt, without what ended it.</param>
/// <param name="Tokens">How many were written.</param>
/// <param name="Score">Of a beam search; otherwise 0.</param>
/// <param name="Ended">Whether the text came to its end, by a token or a stop string, rather than to the limit.</param>
public sealed record WrittenText(string Text, int Tokens, double Score, bool Ended);

/// <summary>Writes texts with a language model (what follows the prompt) or with an encoder-decoder (what the prompt becomes).</summary>
public sealed class TextGenerator : IDisposable
{
    private const char Incomplete = '\uFFFD';

    private readonly Module _network;
    private readonly bool _keepsModel;
    private readonly Func<string, IReadOnlyList<long>> _encode;
    private readonly Func<IEnumerable<long>, string> _decode;
    private readonly long _start;

    private TextGenerator(Module network, (Func<string, IReadOnlyList<long>> Encode, Func<IEnumerable<long>, string> Decode) text, IReadOnlyList<long> endIds, long start, bool keepsModel)
    {
        (_network, _encode, _decode, EndIds, _start, _keepsModel) = (network, text.Encode, text.Decode, endIds, start, keepsModel);
        network.eval();
    }

    /// <summary>With a language model in memory.</summary>
    /// <param name="keepsModel">Whether the model outlives this object.</param>
    public TextGenerator(ILanguageModel model, Tokenizer tokenizer, IReadOnlyList<long> endIds, bool keepsModel = false)
        : this((Module)model, Using(tokenizer), endIds, tokenizer.Options.BosId ?? (endIds.Count > 0 ? endIds[0] : 0), keepsModel)
    {
    }

    /// <summary>With an encoder-decoder that Bruma trained on characters.</summary>
    /// <param name="keepsModel">Whether the model outlives this object.</param>
    public TextGenerator(SequenceTransformer model, CharacterVocabulary vocabulary, bool keepsModel = false)
        : this(model, (vocabulary.Encode, vocabulary.Decode), [CharacterVocabulary.EosId], CharacterVocabulary.BosId, keepsModel)
    {
    }

    /// <summary>Tokens that end a text.</summary>
    public IReadOnlyList<long> EndIds { get; }

    /// <summary>Whether the prompt is a source that becomes another text, rather than the beginning of the text.</summary>
    public bool Rewrites => _network is ISequenceModel;

    /// <summary>The longest text with its prompt, in tokens; null for no limit.</summary>
    public int? MaxPositions => (_network as ILanguageModel)?.MaxPositions;

    /// <summary>Loads a folder of transformers' layout (GPT-2, Llama, T5) or of an encoder-decoder that Bruma trained.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, the class is unknown, or the tokenizer does not fit.</exception>
    public static TextGenerator Load(string folder)
    {
        var config = Path.Combine(folder, "config.json");
        var name = ArchitectureOf(config);
        if (name == nameof(SequenceTransformer))
            return new TextGenerator(SequenceTransformer.Load(folder), CharacterVocabulary.Load(folder));
        Module network = name switch
        {
            "GPT2LMHeadModel" or "GPT2Model" => Gpt2LmHeadModel.Load(folder),
            "LlamaForCausalLM" => LlamaForCausalLm.Load(folder),
            "T5ForConditionalGeneration" => T5ForConditionalGeneration.Load(folder),
            _ => throw new BrumaException($"{config}: the class is {name}, which writes no text here; expected GPT2LMHeadModel, LlamaForCausalLM, T5ForConditionalGeneration or {nameof(SequenceTransformer)}."),
        };
        var tokenizer = Tokenizer.Load(folder);
        var size = (network as ILanguageModel)?.VocabularySize ?? ((ISequenceModel)network).VocabularySize;
        if (tokenizer.VocabularySize > size)
            throw new BrumaException($"{folder}: the tokenizer has {tokenizer.VocabularySize} tokens but the network only {size}; they do not belong together.");
        var defaults = GenerationDefaults.Read(folder);
        IReadOnlyList<long> ends = defaults.EndIds.Count > 0 ? defaults.EndIds : tokenizer.Options.EosId is { } end ? [end] : [];
        var start = (network is ISequenceModel ? defaults.DecoderStartId ?? defaults.PadId : defaults.BosId ?? tokenizer.Options.BosId) ?? (ends.Count > 0 ? ends[0] : 0);
        return new TextGenerator(network, Using(tokenizer), ends, start, keepsModel: false);
    }

    /// <summary>Writes whole texts.</summary>
    /// <param name="options">Without <c>EndIds</c>, the model's own.</param>
    /// <param name="stops">Texts before which writing stops.</param>
    /// <param name="random">For sampling.</param>
    /// <returns>As many as <c>NumReturnSequences</c>, best first.</returns>
    /// <exception cref="BrumaException">An option is out of its range, or the prompt too long.</exception>
    public IReadOnlyList<WrittenText> Write(string prompt, GenerationOptions options, IReadOnlyList<string>? stops = null, Generator? random = null)
    {
        using var scope = NewDisposeScope();
        var (decoding, ids, limited) = Begin(prompt, options);
        using (decoding)
            return [.. TokenGeneration.Run(decoding, [ids], limited, random).Select(text => Finished(text, ids.Count, limited.EndIds!, stops ?? []))];
    }

    /// <summary>Gives the text piece by piece as it is written; a piece never ends within a character or within what may become a stop string.</summary>
    /// <inheritdoc cref="Write"/>
    public IEnumerable<string> Stream(string prompt, GenerationOptions options, IReadOnlyList<string>? stops = null, Generator? random = null)
    {
        var (decoding, ids, limited) = Begin(prompt, options with { NumReturnSequences = 1 });
        using (decoding)
        {
            var (tokens, given, text) = (new List<long>(), 0, "");
            foreach (var next in TokenGeneration.Stream(decoding, [ids], limited, random))
            {
                if (limited.EndIds!.Contains(next[0]))
                    break;
                tokens.Add(next[0]);
                text = _decode(tokens);
                if (FirstStop(text, stops ?? []) is var stop and >= 0)
                {
                    text = text[..stop];
                    break;
                }
                var safe = Safe(text, stops ?? []);
                if (safe > given)
                    yield return text[given..safe];
                given = Math.Max(given, safe);
            }
            if (text.Length > given)
                yield return text[given..];
        }
    }

    public void Dispose()
    {
        if (!_keepsModel)
            _network.Dispose();
    }

    private (Decoding Decoding, IReadOnlyList<long> Ids, GenerationOptions Options) Begin(string prompt, GenerationOptions options)
    {
        var ids = _encode(prompt);
        options = options with { EndIds = options.EndIds ?? EndIds };
        if (_network is ISequenceModel sequence)
        {
            if (ids.Count == 0)
                throw new BrumaException("There is no text to rewrite; give one.");
            using var source = tensor(ids.ToArray()).unsqueeze(0);
            return (new SequenceDecoding(sequence, source), [_start], options);
        }
        ids = ids.Count == 0 ? [_start] : ids;
        if (MaxPositions is { } most)
        {
            if (ids.Count >= most)
                throw new BrumaException($"The prompt has {ids.Count} tokens, but the model takes {most} with what it writes; shorten the prompt.");
            options = options with { MaxNewTokens = Math.Min(options.MaxNewTokens, most - ids.Count), MinNewTokens = Math.Min(options.MinNewTokens, most - ids.Count) };
        }
        return (new TextDecoding((ILanguageModel)_network), ids, options);
    }

    private WrittenText Finished(GeneratedTokens generated, int promptLength, IReadOnlyList<long> ends, IReadOnlyList<string> stops)
    {
        var tokens = generated.Tokens.Skip(promptLength).ToList();
        var ended = tokens.Count > 0 && ends.Contains(tokens[^1]);
        var text = _decode(ended ? tokens.SkipLast(1) : tokens);
        var stop = FirstStop(text, stops);
        return new WrittenText(stop < 0 ? text : text[..stop], tokens.Count, generated.Score, ended || stop >= 0);
    }

    private static int FirstStop(string text, IReadOnlyList<string> stops) =>
        stops.Where(stop => stop.Length > 0).Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();

    /// <summary>How much of the text can no longer change and begins no stop string.</summary>
    private static int Safe(string text, IReadOnlyList<string> stops)
    {
        var safe = text.Length;
        while (safe > 0 && (text[safe - 1] == Incomplete || char.IsHighSurrogate(text[safe - 1])))
            safe--;
        foreach (var stop in stops)
            for (var length = Math.Min(stop.Length - 1, safe); length > 0; length--)
                if (text.AsSpan(0, safe).EndsWith(stop.AsSpan(0, length), StringComparison.Ordinal))
                {
                    safe -= length;
                    break;
                }
        return safe;
    }

    private static (Func<string, IReadOnlyList<long>> Encode, Func<IEnumerable<long>, string> Decode) Using(Tokenizer tokenizer) =>
        (text => [.. tokenizer.Encode(text).Select(id => (long)id)], ids => tokenizer.Decode(ids.Select(id => (int)id)));

    private static string ArchitectureOf(string config)
    {
        using var json = PythonJson.ParseFile(config);
        if (json.RootElement.TryGetProperty("architectures", out var classes) && classes.ValueKind == JsonValueKind.Array && classes.GetArrayLength() > 0)
            return classes[0].GetString() ?? "";
        return json.RootElement.TryGetProperty("model_type", out var type) ? type.GetString() switch { "gpt2" => "GPT2LMHeadModel", "llama" => "LlamaForCausalLM", "t5" => "T5ForConditionalGeneration", var other => other ?? "" } : "";
    }
}
