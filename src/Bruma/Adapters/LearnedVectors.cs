using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Adapters;

/// <summary>Word vectors that are trained in place of some rows of a frozen table: textual inversion. In place from birth until disposed.</summary>
/// <remarks>Gal et al. 2022, arXiv:2208.01618. Only these rows are parameters, so nothing has to be set back after an update.</remarks>
public sealed class LearnedVectors : Module
{
    private readonly TorchSharp.Modules.Parameter vectors;
    private readonly IReadOnlyList<long> _ids;
    private readonly Action _detach;

    /// <param name="table">The text encoder's token table; its other rows stay.</param>
    /// <param name="ids">The rows, as token ids.</param>
    /// <param name="start">[n, D], or [1, D] for all.</param>
    public LearnedVectors(Embedding table, IReadOnlyList<long> ids, Tensor start) : base(nameof(LearnedVectors))
    {
        _ids = ids;
        using (no_grad())
            vectors = new TorchSharp.Modules.Parameter(start.detach().to(float32).expand(ids.Count, -1).clone().DetachFromDisposeScope());
        RegisterComponents();
        var hook = table.register_forward_hook((_, tokens, output) => Replace(tokens, output));
        _detach = hook.remove;
    }

    /// <summary>[n, D].</summary>
    public Tensor Vectors => vectors;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _detach();
        base.Dispose(disposing);
    }

    private Tensor Replace(Tensor tokens, Tensor output)
    {
        using var scope = NewDisposeScope();
        var rows = vectors.to(output.dtype);
        for (var i = 0; i < _ids.Count; i++)
            output = where(tokens.eq(_ids[i]).unsqueeze(-1), rows[i], output);
        return output.MoveToOuterDisposeScope();
    }
}
