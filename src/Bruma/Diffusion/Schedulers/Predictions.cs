using static TorchSharp.torch;

namespace Bruma.Diffusion.Schedulers;

/// <summary>Converts between what networks predict about x = α x0 + σ n.</summary>
/// <remarks>v is defined where α² + σ² = 1; any other frame is scaled into that one, as the network's input is. Flow is defined where α + σ = 1.</remarks>
public static class Predictions
{
    /// <summary>The clean sample x0, of the sample's shape.</summary>
    /// <param name="type">What <paramref name="prediction"/> is.</param>
    /// <param name="prediction">The network's output, [B, C, H, W].</param>
    /// <param name="sample">x, [B, C, H, W].</param>
    /// <param name="level">α and σ of x.</param>
    public static Tensor Denoised(PredictionType type, Tensor prediction, Tensor sample, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        var (alpha, sigma) = level;
        var norm = Norm(level);
        var denoised = type switch
        {
            PredictionType.Epsilon => (sample - prediction * sigma) / alpha,
            PredictionType.VPrediction => sample * (alpha / (norm * norm)) - prediction * (sigma / norm),
            PredictionType.Flow => sample - prediction * sigma,
            _ => prediction.alias(),
        };
        return denoised.MoveToOuterDisposeScope();
    }

    /// <summary>The noise n, of the sample's shape.</summary>
    public static Tensor Noise(PredictionType type, Tensor prediction, Tensor sample, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        var (alpha, sigma) = level;
        var norm = Norm(level);
        var noise = type switch
        {
            PredictionType.Epsilon => prediction.alias(),
            PredictionType.VPrediction => prediction * (alpha / norm) + sample * (sigma / (norm * norm)),
            PredictionType.Flow => sample + prediction * alpha,
            _ => (sample - prediction * alpha) / sigma,
        };
        return noise.MoveToOuterDisposeScope();
    }

    /// <summary>What a network of the given type predicts for this x0 and n.</summary>
    public static Tensor Of(PredictionType type, Tensor original, Tensor noise, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        var norm = Norm(level);
        var prediction = type switch
        {
            PredictionType.Epsilon => noise.alias(),
            PredictionType.VPrediction => noise * (level.Alpha / norm) - original * (level.Sigma / norm),
            PredictionType.Flow => noise - original,
            _ => original.alias(),
        };
        return prediction.MoveToOuterDisposeScope();
    }

    internal static double Norm(NoiseLevel level) => Math.Sqrt(level.Alpha * level.Alpha + level.Sigma * level.Sigma);
}
