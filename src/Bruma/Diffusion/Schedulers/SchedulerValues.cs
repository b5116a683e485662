using System.Text.Json.Serialization;

namespace Bruma.Diffusion.Schedulers;

/// <summary>What the network's output means, given x = α x0 + σ n.</summary>
public enum PredictionType
{
    /// <summary>The noise n.</summary>
    [JsonStringEnumMemberName("epsilon")] Epsilon,

    /// <summary>The clean sample x0.</summary>
    [JsonStringEnumMemberName("sample")] Sample,

    /// <summary>v = α n - σ x0 (Salimans and Ho 2022, arXiv:2202.00512).</summary>
    [JsonStringEnumMemberName("v_prediction")] VPrediction,

    /// <summary>The velocity n - x0 of a straight path.</summary>
    [JsonStringEnumMemberName("flow_prediction")] Flow,
}

/// <summary>How the variance β_t of the noise added at training step t grows.</summary>
public enum BetaSchedule
{
    [JsonStringEnumMemberName("linear")] Linear,

    /// <summary>Linear in √β: Stable Diffusion.</summary>
    [JsonStringEnumMemberName("scaled_linear")] ScaledLinear,

    /// <summary>Cosine, with β capped at 0.999 (Nichol and Dhariwal 2021, arXiv:2102.09672).</summary>
    [JsonStringEnumMemberName("squaredcos_cap_v2")] SquaredCosine,

    [JsonStringEnumMemberName("sigmoid")] Sigmoid,

    /// <summary>ᾱ(t) = exp(-12 t).</summary>
    [JsonStringEnumMemberName("exp")] Exponential,
}

/// <summary>Which training steps the denoising steps visit (Lin et al. 2023, arXiv:2305.08891, table 2).</summary>
public enum TimestepSpacing
{
    /// <summary>Evenly, both ends included.</summary>
    [JsonStringEnumMemberName("linspace")] Linspace,

    /// <summary>Multiples of a whole number from 0 up, so that the noisiest step is left out.</summary>
    [JsonStringEnumMemberName("leading")] Leading,

    /// <summary>From the noisiest step down, so that step 0 is left out.</summary>
    [JsonStringEnumMemberName("trailing")] Trailing,
}

/// <summary>The noise level at which denoising ends.</summary>
public enum FinalSigmasType
{
    [JsonStringEnumMemberName("zero")] Zero,
    [JsonStringEnumMemberName("sigma_min")] SigmaMin,
}

/// <summary>How noise levels are spread between the largest and the smallest.</summary>
public enum SigmaSpacing
{
    /// <summary>As the timesteps give them.</summary>
    Discrete,

    /// <summary>Karras et al. 2022, arXiv:2206.00364, equation 5, ρ = 7.</summary>
    Karras,

    /// <summary>Geometric.</summary>
    Exponential,

    /// <summary>Quantiles of Beta(0.6, 0.6) (Lee et al. 2024, arXiv:2407.12173).</summary>
    Beta,
}
