using Bruma.Diffusion.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Diffusion.Schedulers;

public sealed class SchedulerTests
{
    [Theory]
    [InlineData("Euler a", "EulerAncestralDiscreteScheduler", "Discrete", "")]
    [InlineData("DPM++ 2M Karras", "DPMSolverMultistepScheduler", "Karras", "dpmsolver++")]
    [InlineData("dpm++2m", "DPMSolverMultistepScheduler", "Discrete", "dpmsolver++")]
    [InlineData("k_dpmpp_2m", "DPMSolverMultistepScheduler", "Discrete", "dpmsolver++")]
    [InlineData("DPM++ 2M SDE", "DPMSolverMultistepScheduler", "Discrete", "sde-dpmsolver++")]
    [InlineData("DPM++ 3M SDE Exponential", "DPMSolverMultistepScheduler", "Exponential", "sde-dpmsolver++")]
    [InlineData("UniPC", "UniPCMultistepScheduler", "Discrete", "")]
    [InlineData("karras", "EulerDiscreteScheduler", "Karras", "")]
    [InlineData("lcm", "LCMScheduler", "Discrete", "")]
    [InlineData("DPMSolverMultistepScheduler", "DPMSolverMultistepScheduler", "Discrete", "dpmsolver++")]
    public void Names_of_other_programs_resolve(string name, string className, string spacing, string algorithm)
    {
        var config = SchedulerNames.Find(name, SchedulerConfig.Default("EulerDiscreteScheduler") with { BetaStart = 0.00085 });
        Assert.Equal((className, spacing, 0.00085), (config.ClassName, config.SigmaSpacing.ToString(), config.BetaStart));
        if (algorithm.Length > 0)
            Assert.Equal(algorithm, config.AlgorithmType);
    }

    [Fact]
    public void An_unknown_name_lists_the_known_ones()
    {
        var error = Assert.Throws<BrumaException>(() => SchedulerNames.Find("res_2s", SchedulerConfig.Default("EulerDiscreteScheduler")));
        Assert.Contains("dpm++2m", error.Message, StringComparison.Ordinal);
    }

    /// <summary>With a network that always knows the clean sample, a deterministic algorithm ends there, and keeps nothing beyond its own life.</summary>
    [Theory]
    [InlineData("DDIMScheduler")]
    [InlineData("EulerDiscreteScheduler")]
    [InlineData("HeunDiscreteScheduler")]
    [InlineData("DPMSolverMultistepScheduler")]
    [InlineData("DPMSolverSinglestepScheduler")]
    [InlineData("UniPCMultistepScheduler")]
    public void A_perfect_network_is_followed_to_the_clean_sample(string className)
    {
        using var scope = NewDisposeScope();
        var original = randn([1, 1, 4, 4], generator: new Generator(1, CPU));
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var inner = NewDisposeScope())
        {
            using var scheduler = Scheduler.Create(SchedulerConfig.Default(className) with { PredictionType = PredictionType.Sample, ClipSample = false }, 12);
            var sample = randn([1, 1, 4, 4], generator: new Generator(2, CPU)) * scheduler.InitNoiseSigma;
            for (var step = 0; step < scheduler.Timesteps.Count; step++)
                sample = scheduler.Step(original, step, sample, shape => zeros(shape));
            Assert.True(sample.allclose(original, rtol: 1e-3, atol: 1e-3));
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    /// <summary>Numbers of diffusers: the levels are one more than the steps, so that the last step ends above 0.</summary>
    [Fact]
    public void Levels_at_even_distances_of_their_logarithms_end_above_zero()
    {
        using var even = Scheduler.Create(StableDiffusion("EulerDiscreteScheduler") with { InterpolationType = "log_linear" }, 4);
        Equal([999, 666, 333, 0], even.Timesteps);
        Equal([14.614643, 3.088987, 0.652896, 0.137998, 0.029168, 0], even.Sigmas);
        using var karras = Scheduler.Create(even.Config with { UseKarrasSigmas = true }, 4);
        Equal([999, 687.15320, 145.93903, 0], karras.Timesteps);
        Equal([14.614643, 3.168610, 0.446921, 0.029168, 0], karras.Sigmas);
    }

    /// <summary>Numbers of diffusers: with zero terminal SNR the last level is made finite, and is below some that come before it.</summary>
    [Fact]
    public void The_noisiest_timestep_is_found_with_zero_terminal_SNR()
    {
        var config = StableDiffusion("DPMSolverMultistepScheduler") with { RescaleBetasZeroSnr = true };
        using var karras = Scheduler.Create(config with { UseKarrasSigmas = true }, 6);
        Equal([999, 997, 990, 945, 588, 0], karras.Timesteps);
        using var even = Scheduler.Create(config with { UseLuLambdas = true }, 6);
        Equal([999, 993, 943, 656, 81, 0], even.Timesteps);
    }

    /// <summary>The ends of a learned range are the two fixed variances.</summary>
    [Theory]
    [InlineData(-1, "fixed_small")]
    [InlineData(1, "fixed_large")]
    public void A_learned_variance_lies_between_the_fixed_ones(double learned, string fixedVariance)
    {
        using var scope = NewDisposeScope();
        var (prediction, sample, noise) = (randn([2, 3, 4, 4], generator: new Generator(1, CPU)), randn([2, 3, 4, 4], generator: new Generator(2, CPU)), randn([2, 3, 4, 4], generator: new Generator(3, CPU)));
        using var ranged = Scheduler.Create(SchedulerConfig.Default("DDPMScheduler") with { VarianceType = "learned_range" }, 10);
        using var known = Scheduler.Create(ranged.Config with { VarianceType = fixedVariance }, 10);
        var expected = known.Step(prediction, 4, sample, _ => noise);
        var actual = ranged.Step(cat([prediction, full_like(prediction, learned)], 1), 4, sample, _ => noise);
        Assert.True(expected.allclose(actual, rtol: 1e-5, atol: 1e-6));
    }

    /// <summary>Numbers of diffusers, whose order follows the step, not the slopes that are known.</summary>
    [Fact]
    public void The_multistep_method_begins_in_the_middle_as_the_reference_does()
    {
        using var scope = NewDisposeScope();
        using var scheduler = Scheduler.Create(StableDiffusion("LMSDiscreteScheduler"), 10);
        var sample = full([1, 1, 1, 1], 2.0f);
        var values = new List<double>();
        for (var step = 6; step < 10; step++)
        {
            sample = scheduler.Step(full_like(sample, 0.5), step, sample, shape => zeros(shape));
            values.Add(sample.item<float>());
        }
        Equal([1.7327877, 1.6616881, 1.4534189, 1.4388351], values);
    }

    /// <summary>Numbers of diffusers' inpainting: what is kept gets the noise of the next whole step, also before a second stage.</summary>
    [Fact]
    public void The_midpoint_method_noises_to_whole_steps()
    {
        using var scope = NewDisposeScope();
        using var scheduler = Scheduler.Create(StableDiffusion("KDPM2DiscreteScheduler") with { TimestepSpacing = TimestepSpacing.Trailing }, 5);
        var noised = Enumerable.Range(0, 4).Select(step => (double)scheduler.AddNoiseAt(zeros(1), ones(1), step).item<float>()).ToArray();
        Equal([14.614646, 5.087765, 5.087765, 2.276464], noised);
    }

    private static SchedulerConfig StableDiffusion(string className) =>
        SchedulerConfig.Default(className) with { BetaStart = 0.00085, BetaEnd = 0.012, BetaSchedule = BetaSchedule.ScaledLinear };

    private static void Equal(double[] expected, IReadOnlyList<double> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-6 * Math.Max(1, pair.First)));
    }
}
