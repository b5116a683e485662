using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>How the time embedding enters a residual block.</summary>
public enum TimeShift
{
    /// <summary>Added to the features before the second norm.</summary>
    Default,

    /// <summary>Scales and shifts the features after the second norm.</summary>
    ScaleShift,
}

/// <summary>What all residual blocks of a network share.</summary>
/// <param name="TimeWidth">Width of the time embedding; null for blocks without one.</param>
/// <param name="Groups">Of the group norms.</param>
/// <param name="Eps">Of the group norms.</param>
/// <param name="Dropout">Probability, before the second convolution.</param>
/// <param name="Activation">A name that <see cref="Nn.Activation.Named"/> knows.</param>
/// <param name="OutputScale">What the sum with the skip is divided by.</param>
public sealed record ResnetOptions(
    long? TimeWidth,
    long Groups = 32,
    double Eps = 1e-5,
    double Dropout = 0,
    string Activation = "silu",
    TimeShift TimeShift = TimeShift.Default,
    double OutputScale = 1,
    Device? Device = null);

/// <summary>How a block of a U-Net changes the resolution.</summary>
public enum Resampling
{
    None,

    /// <summary>By a convolution with stride 2, or after nearest-neighbour interpolation.</summary>
    Convolution,

    /// <summary>Within a residual block of its own.</summary>
    Resnet,
}

/// <summary>What one level of a U-Net consists of.</summary>
/// <param name="Layers">Residual blocks.</param>
/// <param name="HeadWidth">Of the attention after each residual block; null for none.</param>
public sealed record LevelOptions(int Layers, long? HeadWidth, Resampling Resampling, long DownPadding, ResnetOptions Resnet);
