using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>One generation under way: tokens are read, and it tells which come next. It remembers keys and values, so each token is computed once.</summary>
public abstract class Decoding : IDisposable
{
    /// <summary>Reads further tokens.</summary>
    /// <param name="tokens">[B, T].</param>
    /// <returns>Scores of what follows the last one, fp32, [B, V].</returns>
    public abstract Tensor Read(Tensor tokens);

    /// <summary>Makes row i the continuation of what was row rows[i]; the number of rows may change.</summary>
    /// <param name="rows">int64, [B'].</param>
    public abstract void Reorder(Tensor rows);

    public abstract void Dispose();
}

/// <summary>Continues texts with a language model.</summary>
public sealed class TextDecoding : Decoding
{
    private readonly ILanguageModel _model;
    private readonly KeyValueCache _cache;
    private Tensor? _mask;

    /// <param name="mask">1 for tokens of the prompt, 0 for the padding before them, [B, T]; null when all are tokens. Positions count tokens only.</param>
    public TextDecoding(ILanguageModel model, Tensor? mask = null)
    {
        (_model, _cache) = (model, new KeyValueCache(model.Layers));
        _mask = mask?.to(int64, copy: true).DetachFromDisposeScope();
    }

    public override Tensor Read(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        if (_mask is not null && _cache.Length > 0)
            Replace(cat([_mask, ones([tokens.shape[0], tokens.shape[1]], int64)], 1));
        var positions = _mask is null ? null : (_mask.cumsum(1) - 1).clamp_min(0).narrow(1, _cache.Length, tokens.shape[1]);
        var states = _model.Read(tokens, new TextPass(_mask, Positions: positions, Cache: _cache)).LastHiddenState;
        return _model.Predict(states.select(1, -1)).to(float32).MoveToOuterDisposeScope();
    }

    public override void Reorder(Tensor rows)
    {
        using var scope = NewDisposeScope();
        _cache.Reorder(rows);
        if (_mask is not null)
            Replace(_mask.index_select(0, rows));
    }

    public override void Dispose()
    {
        _cache.Dispose();
        _mask?.Dispose();
    }

    private void Replace(Tensor mask)
    {
        _mask?.Dispose();
        _mask = mask.DetachFromDisposeScope();
    }
}

/// <summary>Writes a sequence for each source.</summary>
public sealed class SequenceDecoding : Decoding
{
    private readonly ISequenceModel _model;
    private readonly KeyValueCache _cache;
    private Tensor _context;
    private Tensor? _contextMask;

    /// <param name="sourceIds">[B, S].</param>
    /// <param name="sourceMask">1 for tokens, 0 for padding, [B, S]; null when all are tokens.</param>
    public SequenceDecoding(ISequenceModel model, Tensor sourceIds, Tensor? sourceMask = null)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        (_model, _cache) = (model, new KeyValueCache(model.Layers));
        _context = model.Encode(sourceIds, sourceMask).LastHiddenState.DetachFromDisposeScope();
        _contextMask = sourceMask?.clone().DetachFromDisposeScope();
    }

    public override Tensor Read(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var states = _model.Decode(tokens, new DecoderPass(_context, _contextMask, Cache: _cache)).LastHiddenState;
        return _model.Predict(states.select(1, -1)).to(float32).MoveToOuterDisposeScope();
    }

    public override void Reorder(Tensor rows)
    {
        using var scope = NewDisposeScope();
        _cache.Reorder(rows);
        (var context, var mask) = (_context, _contextMask);
        _context = context.index_select(0, rows).DetachFromDisposeScope();
        _contextMask = mask?.index_select(0, rows).DetachFromDisposeScope();
        context.Dispose();
        mask?.Dispose();
    }

    public override void Dispose()
    {
        _cache.Dispose();
        _context.Dispose();
        _contextMask?.Dispose();
    }
}
