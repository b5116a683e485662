using Bruma.Metrics;
using Bruma.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>How far a reconstruction is from its picture to a network that has learned what pictures show; stands in for LPIPS.</summary>
/// <remarks>The mean absolute difference of every layer's activations at 64 px, in the network that the text encoder was trained against. It never saw what is held out.</remarks>
internal sealed class EmojiFeatureLoss : IDisposable
{
    private readonly LoadedScorer _scorer;

    private EmojiFeatureLoss(LoadedScorer scorer, ScalarType precision)
    {
        _scorer = scorer;
        scorer.Network.Image.to(precision);
        foreach (var parameter in scorer.Network.parameters())
            parameter.requires_grad_(false);
    }

    /// <summary>Of the stage <c>text</c> beside a run; null where there is none.</summary>
    public static EmojiFeatureLoss? Beside(string run, string precision)
    {
        var folder = Path.Combine(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(run)))!, "text", "model");
        return Directory.Exists(folder) ? new EmojiFeatureLoss(EmojiScorerFiles.Read(folder), ComputePrecision.TypeOf(precision)) : null;
    }

    /// <param name="output">[B, 3, S, S], S a multiple of 64.</param>
    /// <param name="pictures">The same of the pictures.</param>
    /// <returns>0-D, fp32.</returns>
    public Tensor Of(Tensor output, Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var total = zeros(1);
        IReadOnlyList<Tensor> target;
        using (no_grad())
            target = Activations(pictures);
        foreach (var (own, other) in Activations(output).Zip(target))
            total = total + (own - other).to(float32).abs().mean();
        return total.squeeze().MoveToOuterDisposeScope();
    }

    public void Dispose() => _scorer.Dispose();

    private IReadOnlyList<Tensor> Activations(Tensor pictures)
    {
        var reduction = pictures.shape[^1] / EmojiScorer.Size;
        return _scorer.Network.Image.Activations(reduction > 1 ? nn.functional.avg_pool2d(pictures, reduction) : pictures);
    }
}
