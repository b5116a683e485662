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
}
