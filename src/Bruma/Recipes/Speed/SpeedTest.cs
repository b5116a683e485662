using Bruma.Nn;
using Bruma.StableDiffusion;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Speed;

/// <summary>One line of a measurement.</summary>
/// <param name="Seconds">Of one call.</param>
/// <param name="Gigaflops">Of one call; 0 where it is not counted.</param>
/// <param name="OfMatrix">GFLOP/s as a share of the matrix rate of the same type in the same run; null where it is not counted.</param>
/// <param name="OfConvolution">The same of the convolution rate.</param>
public sealed record SpeedRow(string What, string Precision, double Seconds, double Gigaflops, double? OfMatrix, double? OfConvolution);

/// <summary>What a machine makes of Stable Diffusion 1.5's networks, with random weights: rates of the hardware, a guided U-Net step and a decoded picture at 512 px, a training step.</summary>
/// <remarks>The counts of operations are those of 512x512: convolution 887.9, linear 466.5, attention products 252.1 GFLOP a guided step; 2,514.5 a decoded picture.</remarks>
public sealed class SpeedTest(ScalarType precision, double secondsPerRow)
{
    private const double StepGigaflops = 1606.5;
    private const double DecodeGigaflops = 2514.5;

    /// <summary>Every line as soon as it is measured; the rates of the hardware come first.</summary>
    public IEnumerable<SpeedRow> Run(CancellationToken cancellationToken = default)
    {
        var rates = MachineRates.Measure(secondsPerRow / 8);
        foreach (var (what, type, rate, gigaflops) in new[]
        {
            ("matrix product 2048", ScalarType.BFloat16, rates.MatrixBf16, 17.18), ("matrix product 2048", ScalarType.Float32, rates.MatrixFp32, 17.18),
            ("convolution 3x3, 320, 64x64", ScalarType.BFloat16, rates.ConvolutionBf16, 7.55), ("convolution 3x3, 320, 64x64", ScalarType.Float32, rates.ConvolutionFp32, 7.55),
        })
            if (double.IsFinite(rate))
                yield return new SpeedRow(what, ComputePrecision.NameOf(type), gigaflops / rate, gigaflops, null, null);
        cancellationToken.ThrowIfCancellationRequested();
        yield return Row("U-Net step, SD 1.5, 512x512, guided", UNetStep, StepGigaflops);
        cancellationToken.ThrowIfCancellationRequested();
        yield return Row("autoencoder, decoding 512x512", Decoding, DecodeGigaflops);
        cancellationToken.ThrowIfCancellationRequested();
        yield return Training();
    }

    /// <summary>The rates are measured again before and after each row: shared machines change from minute to minute.</summary>
    private SpeedRow Row(string what, Func<double> measure, double gigaflops)
    {
        var before = MachineRates.Measure(secondsPerRow / 16);
        var seconds = measure();
        var rates = MachineRates.Between(before, MachineRates.Measure(secondsPerRow / 16));
        return new SpeedRow(what, ComputePrecision.NameOf(precision), seconds, gigaflops, gigaflops / seconds / rates.Matrices(precision), gigaflops / seconds / rates.Convolutions(precision));
    }

    private double UNetStep()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = RandomWeights.Fill(device => new UNet2DConditionModel(ModelFamily.Sd1.UNet, device), precision);
        FastConvolution.Allow(network);
        var (sample, time, context) = (randn(2, 4, 64, 64), tensor(new[] { 500f }), new UNetConditioning(randn(2, 77, 768)));
        return Timing.Best(() => network.call(sample, time, context), secondsPerRow);
    }

    private double Decoding()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var autoencoder = RandomWeights.Fill(device => new AutoencoderKl(ModelFamily.Sd1.Autoencoder, device), precision);
        var latents = randn(1, 4, 64, 64);
        return Timing.Best(() => autoencoder.Decode(latents), secondsPerRow);
    }

    private SpeedRow Training()
    {
        using var training = new TrainingSpeed(TrainedNetwork.Ddpm28, precision);
        return Row($"training step, {TrainedNetwork.Ddpm28.Name}, batch {TrainedNetwork.Ddpm28.BatchSize}", () => Timing.Best(training.Step, secondsPerRow), TrainedNetwork.Ddpm28.GigaflopsPerStep);
    }
}
