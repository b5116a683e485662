using Bruma.Diffusion.Schedulers;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Tests.Diffusion.Schedulers;

/// <summary>What holds for every algorithm, on networks whose answer is known.</summary>
public sealed class SchedulerPropertyTests
{
    private static readonly string[] Deterministic =
    [
        "DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "LMSDiscreteScheduler",
        "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "DEISMultistepScheduler", "UniPCMultistepScheduler",
    ];

    private static readonly string[] Stochastic = ["DDPMScheduler", "EulerAncestralDiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "LCMScheduler", "TCDScheduler"];

    /// <summary>Algorithms with their options, as configurations.</summary>
    public static TheoryData<string, string> Solvers()
    {
        var data = new TheoryData<string, string>();
        foreach (var className in Deterministic)
            data.Add(className, "{}");
        foreach (var order in (int[])[1, 2, 3])
        {
            foreach (var solver in (string[])["midpoint", "heun"])
            {
                data.Add("DPMSolverMultistepScheduler", $$"""{"solver_order":{{order}},"solver_type":"{{solver}}"}""");
                data.Add("DPMSolverMultistepScheduler", $$"""{"solver_order":{{order}},"solver_type":"{{solver}}","algorithm_type":"dpmsolver","use_karras_sigmas":true}""");
                data.Add("DPMSolverSinglestepScheduler", $$"""{"solver_order":{{order}},"solver_type":"{{solver}}"}""");
            }
            foreach (var solver in (string[])["bh1", "bh2"])
                data.Add("UniPCMultistepScheduler", $$"""{"solver_order":{{order}},"solver_type":"{{solver}}","use_exponential_sigmas":true}""");
            data.Add("UniPCMultistepScheduler", $$"""{"solver_order":{{order}},"predict_x0":false}""");
            data.Add("DEISMultistepScheduler", $$"""{"solver_order":{{order}},"use_beta_sigmas":true}""");
        }
        data.Add("DPMSolverMultistepScheduler", """{"use_lu_lambdas":true}""");
        data.Add("DPMSolverMultistepScheduler", """{"use_flow_sigmas":true,"prediction_type":"flow_prediction","flow_shift":3}""");
        data.Add("UniPCMultistepScheduler", """{"use_flow_sigmas":true,"prediction_type":"flow_prediction","flow_shift":3}""");
        data.Add("UniPCMultistepScheduler", """{"disable_corrector":[0,2]}""");
        data.Add("FlowMatchEulerDiscreteScheduler", """{"shift":3}""");
        data.Add("FlowMatchHeunDiscreteScheduler", "{}");
        return data;
    }

    [Theory]
    [MemberData(nameof(Solvers))]
    public void With_a_perfect_network_a_deterministic_run_ends_in_the_clean_sample(string className, string options)
    {
        using var scope = NewDisposeScope();
        var config = Config(className, options);
        foreach (var steps in (int[])[7, 18])
        {
            using var scheduler = Scheduler.Create(config, steps);
            var (clean, noise) = (Normal(1), Normal(2));
            var end = Run(scheduler, scheduler.AddNoiseAt(clean, noise, 0), (_, level) => Predictions.Of(scheduler.Prediction, clean, noise, level));
            var left = scheduler.Sigmas.Count > 0 ? scheduler.Sigmas[^1] : Math.Sqrt(1 - (config.SetAlphaToOne ? 1 : 0.9991));
            Assert.True((end - clean).abs().max().item<double>() < 1e-6 + 4 * left);
        }
    }

    [Theory]
    [InlineData("DPMSolverMultistepScheduler", """{"algorithm_type":"dpmsolver++"}""")]
    [InlineData("DPMSolverMultistepScheduler", """{"algorithm_type":"dpmsolver"}""")]
    [InlineData("DPMSolverMultistepScheduler", """{"algorithm_type":"dpmsolver++","solver_type":"heun"}""")]
    [InlineData("DPMSolverSinglestepScheduler", """{"algorithm_type":"dpmsolver++"}""")]
    [InlineData("DEISMultistepScheduler", "{}")]
    [InlineData("UniPCMultistepScheduler", "{}")]
    [InlineData("UniPCMultistepScheduler", """{"solver_type":"bh1","predict_x0":false}""")]
    public void A_higher_order_comes_closer_to_the_exact_solution(string className, string options)
    {
        double Error(int order, int steps)
        {
            using var scope = NewDisposeScope();
            var config = Config(className, options) with { SolverOrder = order, LowerOrderFinal = false, FinalSigmasType = FinalSigmasType.SigmaMin, UseExponentialSigmas = true };
            using var scheduler = Scheduler.Create(config, steps);
            var start = Normal(3);
            // data of standard deviation 1/2: the ideal network is linear, and the exact solution keeps x / √(α²/4 + σ²)
            var end = Run(scheduler, start, (x, level) => x * (level.Sigma / Spread(level)));
            var exact = start * Math.Sqrt(Spread(scheduler.LevelAt(scheduler.Timesteps.Count)) / Spread(scheduler.LevelAt(0)));
            return (end - exact).abs().max().item<double>();
        }

        // evenly in λ
        var errors = new[] { 1, 2, 3 }.Select(order => Error(order, 60)).ToArray();
        Assert.True(errors[1] < errors[0] / 2, $"order 2: {errors[1]}, order 1: {errors[0]}");
        Assert.True(errors[2] < errors[0] / 2, $"order 3: {errors[2]}, order 1: {errors[0]}");
        Assert.True(Error(2, 120) < Error(2, 60) / 2, "a multiple of the steps brings more than a first-order gain");

        static double Spread(NoiseLevel level) => level.Alpha * level.Alpha / 4 + level.Sigma * level.Sigma;
    }

    [Theory]
    [MemberData(nameof(DeterministicNames))]
    public void What_the_network_predicts_makes_no_difference(string className)
    {
        using var scope = NewDisposeScope();
        Tensor End(PredictionType type)
        {
            using var scheduler = Scheduler.Create(SchedulerConfig.Default(className) with { PredictionType = type, ClipSample = false }, 8);
            return Run(scheduler, Normal(4) * scheduler.InitNoiseSigma, (x, level) =>
            {
                var clean = (x / Math.Sqrt(level.Alpha * level.Alpha + level.Sigma * level.Sigma)).tanh();
                return Predictions.Of(type, clean, (x - clean * level.Alpha) / level.Sigma, level);
            });
        }

        var noise = End(PredictionType.Epsilon);
        Assert.True(End(PredictionType.VPrediction).allclose(noise, 1e-6, 1e-8));
        Assert.True(End(PredictionType.Sample).allclose(noise, 1e-6, 1e-8));
    }

    // PNDM combines what the network predicts, so that there it does make one
    public static TheoryData<string> DeterministicNames() => [.. Deterministic.Where(name => name != "PNDMScheduler")];

    [Theory]
    [InlineData("EDMEulerScheduler")]
    [InlineData("EDMDPMSolverMultistepScheduler")]
    public void An_ideal_network_in_EDM_preconditioning_brings_back_the_data(string className)
    {
        using var scope = NewDisposeScope();
        using var scheduler = Scheduler.Create(SchedulerConfig.Default(className), 100);
        // data of standard deviation σ_data: c_skip x is the ideal denoiser, and F is 0
        var end = Run(scheduler, Normal(5) * scheduler.InitNoiseSigma, (x, _) => x * 0);
        Assert.InRange(end.std().item<double>(), 0.4, 0.6);
    }

    [Theory]
    [MemberData(nameof(AllNames))]
    public void A_run_keeps_no_tensors(string className)
    {
        var before = Live();
        var during = new List<long>();
        using (var outer = NewDisposeScope())
        {
            var config = className.StartsWith("DPM", StringComparison.Ordinal) ? Config(className, """{"algorithm_type":"sde-dpmsolver++"}""") : SchedulerConfig.Default(className);
            using var scheduler = Scheduler.Create(config, 20);
            var (prediction, sample) = (Normal(1), Normal(2));
            for (var step = 0; step < scheduler.Timesteps.Count; step++)
            {
                var next = scheduler.Step(prediction, step, sample, shape => randn(shape, float64));
                sample.Dispose();
                sample = next;
                during.Add(Live());
            }
        }
        Assert.Equal(during[^6], during[^2]);
        Assert.Equal(before, Live());
    }

    public static TheoryData<string> AllNames() => [.. Deterministic, .. Stochastic, "EDMEulerScheduler", "EDMDPMSolverMultistepScheduler", "FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"];

    private static long Live() => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    private static SchedulerConfig Config(string className, string options)
    {
        using var document = System.Text.Json.JsonDocument.Parse(options);
        return SchedulerConfig.Read(document.RootElement, className) with { ClipSample = false };
    }

    private static Tensor Run(Scheduler scheduler, Tensor sample, Func<Tensor, NoiseLevel, Tensor> network)
    {
        for (var step = 0; step < scheduler.Timesteps.Count; step++)
            sample = scheduler.Step(network(sample, scheduler.LevelAt(step)), step, sample, NormalNoise.None);
        return sample;
    }

    private static Tensor Normal(ulong seed)
    {
        using var generator = new Generator(seed);
        return randn([2, 3, 4, 5], float64, generator: generator);
    }
}
