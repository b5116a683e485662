using static TorchSharp.torch;

namespace Bruma.Transformers;

/// <summary>Cross-entropy over the tokens that count.</summary>
public static class SequenceLoss
{
    /// <summary>What labels have where nothing is to be predicted.</summary>
    public const long Ignored = -100;

    /// <param name="logits">[B, T, V].</param>
    /// <param name="labels">[B, T].</param>
    /// <param name="ignored">The label that does not count.</param>
    /// <param name="smoothing">This share of the target is spread over all V tokens (Szegedy et al. 2016, arXiv:1512.00567).</param>
    /// <returns>The mean over the tokens that count, fp32, 0-D.</returns>
    public static Tensor Mean(Tensor logits, Tensor labels, long ignored = Ignored, double smoothing = 0)
    {
        using var scope = NewDisposeScope();
        var flat = labels.flatten();
        var counted = (flat != ignored).nonzero().squeeze(-1);
        var logs = logits.flatten(0, 1).index_select(0, counted).to(float32).log_softmax(-1); // [n, V]
        var loss = -logs.gather(-1, flat.index_select(0, counted).unsqueeze(-1)).mean();
        if (smoothing > 0)
            loss = (1 - smoothing) * loss - smoothing * logs.mean();
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>Of a language model: the scores at a place are for the label behind it.</summary>
    /// <param name="logits">[B, T, V].</param>
    /// <param name="labels">[B, T]; those of the inputs themselves, or <see cref="Ignored"/>.</param>
    public static Tensor Next(Tensor logits, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return Mean(logits.narrow(1, 0, logits.shape[1] - 1), labels.narrow(1, 1, labels.shape[1] - 1)).MoveToOuterDisposeScope();
    }
}
