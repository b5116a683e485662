namespace Bruma.Training;

/// <summary>Decay of the averaged weights at each step; the rule of diffusers' EMAModel.</summary>
/// <param name="Decay">Highest decay.</param>
/// <param name="MinDecay">Lowest decay once averaging has begun.</param>
/// <param name="UpdateAfterStep">Steps before averaging begins.</param>
/// <param name="IsConstant">The same decay at every step, the first included.</param>
/// <param name="UseWarmup">Decay 1 - (1 + k / InverseGamma)^-Power instead of (1 + k) / (10 + k).</param>
public sealed record EmaOptions(double Decay = 0.999, double MinDecay = 0, int UpdateAfterStep = 0, bool UseWarmup = false, double InverseGamma = 1, double Power = 2.0 / 3, bool IsConstant = false)
{
    /// <summary>The decay of the c-th update, c from 1. The first call copies the weights.</summary>
    public double At(long update)
    {
        if (IsConstant)
            return Decay;
        var k = Math.Max(0, update - UpdateAfterStep - 1);
        if (k == 0)
            return 0;
        var decay = UseWarmup ? 1 - Math.Pow(1 + k / InverseGamma, -Power) : (1.0 + k) / (10 + k);
        return Math.Clamp(decay, MinDecay, Decay);
    }
}
