using System.Text.Json;
using Bruma.Hub;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Transformers;

/// <summary>What a classifier gives.</summary>
/// <param name="Logits">[B, K].</param>
/// <param name="HiddenStates">As in <see cref="TransformerOutput"/>.</param>
/// <param name="Attentions">As in <see cref="TransformerOutput"/>.</param>
public sealed record ClassifierOutput(Tensor Logits, IReadOnlyList<Tensor> HiddenStates, IReadOnlyList<Tensor> Attentions)
{
    internal ClassifierOutput MoveToOuterDisposeScope()
    {
        foreach (var tensor in HiddenStates.Concat(Attentions).Append(Logits).Distinct(ReferenceEqualityComparer.Instance).OfType<Tensor>())
            tensor.MoveToOuterDisposeScope();
        return this;
    }
}

/// <summary>The classes of a config and the loss that fits them.</summary>
public static class Classification
{
    private static readonly string?[] Problems = [null, "single_label_classification", "multi_label_classification", "regression"];

    /// <summary>The loss that the config's <c>problem_type</c> asks for; without one, the labels tell.</summary>
    /// <param name="logits">[B, K].</param>
    /// <param name="labels">Class indices [B], one number per class [B, K], or values to regress.</param>
    /// <returns>The mean, a scalar.</returns>
    public static Tensor Loss(Tensor logits, Tensor labels, string? problemType)
    {
        using var scope = NewDisposeScope();
        var classes = logits.shape[^1];
        var kind = problemType ?? (classes == 1 ? "regression" : labels.is_floating_point() ? "multi_label_classification" : "single_label_classification");
        var loss = kind switch
        {
            "regression" => functional.mse_loss(logits.squeeze(), labels.to(logits.dtype).squeeze()),
            "multi_label_classification" => functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype)),
            _ => functional.cross_entropy(logits.view(-1, classes), labels.flatten()),
        };
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>How many classes a config names; transformers' default is two.</summary>
    internal static int Classes(IReadOnlyDictionary<string, JsonElement>? id2label, int? numLabels) => id2label?.Count ?? numLabels ?? 2;

    internal static void Check(ConfigCheck check, string? problemType) => check.OneOf("problem_type", problemType, Problems);
}
