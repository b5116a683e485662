using Bruma.Diffusion.Schedulers;

namespace Bruma.Tests.Diffusion.Schedulers;

public sealed class SchedulerNamesTests
{
    private static readonly SchedulerConfig StableDiffusion = SchedulerConfig.Default("PNDMScheduler") with
    {
        BetaStart = 0.00085,
        BetaEnd = 0.012,
        BetaSchedule = BetaSchedule.ScaledLinear,
        StepsOffset = 1,
        SkipPrkSteps = true,
    };

    [Theory]
    [InlineData("Euler a", "EulerAncestralDiscreteScheduler")]
    [InlineData("euler_a", "EulerAncestralDiscreteScheduler")]
    [InlineData("k_euler_ancestral", "EulerAncestralDiscreteScheduler")]
    [InlineData("EULER", "EulerDiscreteScheduler")]
    [InlineData("eulerdiscretescheduler", "EulerDiscreteScheduler")]
    [InlineData("Euler Karras", "EulerDiscreteScheduler karras")]
    [InlineData("sample_heun", "HeunDiscreteScheduler")]
    [InlineData("DPM2", "KDPM2DiscreteScheduler")]
    [InlineData("k_dpm_2_a", "KDPM2AncestralDiscreteScheduler")]
    [InlineData("k_dpm_2_ka", "KDPM2DiscreteScheduler karras")]
    [InlineData("LMS Karras", "LMSDiscreteScheduler karras")]
    [InlineData("DDIM", "DDIMScheduler")]
    [InlineData("ddim_trailing", "DDIMScheduler trailing")]
    [InlineData("PLMS", "PNDMScheduler")]
    [InlineData("lcm", "LCMScheduler")]
    [InlineData("TCD", "TCDScheduler")]
    [InlineData("UniPC", "UniPCMultistepScheduler")]
    [InlineData("uni_pc_bh2", "UniPCMultistepScheduler")]
    [InlineData("deis", "DEISMultistepScheduler")]
    [InlineData("DPM++ 2M", "DPMSolverMultistepScheduler dpmsolver++ 2")]
    [InlineData("dpm++2m", "DPMSolverMultistepScheduler dpmsolver++ 2")]
    [InlineData("k_dpmpp_2m", "DPMSolverMultistepScheduler dpmsolver++ 2")]
    [InlineData("DPM++ 2M Karras", "DPMSolverMultistepScheduler dpmsolver++ 2 karras")]
    [InlineData("k_dpmpp_2m_ka", "DPMSolverMultistepScheduler dpmsolver++ 2 karras")]
    [InlineData("DPM++ 2M Beta", "DPMSolverMultistepScheduler dpmsolver++ 2 beta")]
    [InlineData("DPM++ 2M SGM Uniform", "DPMSolverMultistepScheduler dpmsolver++ 2 trailing")]
    [InlineData("DPM++ 2M SDE", "DPMSolverMultistepScheduler sde-dpmsolver++ 2")]
    [InlineData("dpmpp_2m_sde_gpu", "DPMSolverMultistepScheduler sde-dpmsolver++ 2")]
    [InlineData("dpm++ 2m sde exponential", "DPMSolverMultistepScheduler sde-dpmsolver++ 2 exponential")]
    [InlineData("DPM++ 2M SDE Heun Karras", "DPMSolverMultistepScheduler sde-dpmsolver++ 2 karras")]
    [InlineData("DPM++ 3M SDE", "DPMSolverMultistepScheduler sde-dpmsolver++ 3")]
    [InlineData("DPM++ SDE Karras", "DPMSolverSinglestepScheduler sde-dpmsolver++ 2 karras")]
    [InlineData("dpm++2s_a", "DPMSolverSinglestepScheduler sde-dpmsolver++ 2")]
    public void Names_of_three_programs_are_known(string name, string expected) => Assert.Equal(expected, Told(SchedulerNames.Find(name, StableDiffusion)));

    [Theory]
    [InlineData("karras", "EulerDiscreteScheduler karras leading")]
    [InlineData("Exponential", "EulerDiscreteScheduler exponential leading")]
    [InlineData("beta", "EulerDiscreteScheduler beta leading")]
    [InlineData("sgm_uniform", "EulerDiscreteScheduler trailing")]
    [InlineData("simple", "EulerDiscreteScheduler trailing")]
    [InlineData("discrete", "EulerDiscreteScheduler")]
    [InlineData("Normal", "EulerDiscreteScheduler")]
    [InlineData("Automatic", "EulerDiscreteScheduler leading")]
    [InlineData("lcm", "LCMScheduler")]
    public void A_name_of_noise_levels_keeps_the_algorithm(string name, string expected) =>
        Assert.Equal(expected, Told(SchedulerNames.Find(name, SchedulerConfig.Default("EulerDiscreteScheduler") with { TimestepSpacing = TimestepSpacing.Leading })));

    [Theory]
    [InlineData("euler", "FlowMatchEulerDiscreteScheduler")]
    [InlineData("heun", "FlowMatchHeunDiscreteScheduler")]
    [InlineData("dpm++2m", "DPMSolverMultistepScheduler dpmsolver++ 2 flow 3")]
    [InlineData("UniPCMultistepScheduler", "UniPCMultistepScheduler flow 3")]
    public void Models_that_predict_flow_get_a_solver_for_it(string name, string expected)
    {
        var found = SchedulerNames.Find(name, SchedulerConfig.Default("FlowMatchEulerDiscreteScheduler") with { Shift = 3 });
        Assert.Equal(expected, Told(found));
        using var scheduler = Scheduler.Create(found, 4);
        Assert.Equal(4, scheduler.Timesteps.Count / scheduler.Order + (scheduler.Order - 1));
    }

    [Theory]
    [InlineData("dpm_fast", "is not implemented in Bruma")]
    [InlineData("res_multistep", "is not implemented in Bruma")]
    [InlineData("euler_a_cfg_pp", "is not implemented in Bruma")]
    [InlineData("kl_optimal", "is not implemented in Bruma")]
    [InlineData("eular", "is no scheduler that Bruma knows")]
    [InlineData("flow_euler", "the model does not predict flow")]
    [InlineData("ddim_karras", "takes no karras noise levels")]
    public void Other_names_say_what_there_is(string name, string expected)
    {
        var message = Assert.Throws<BrumaException>(() => SchedulerNames.Find(name, StableDiffusion)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Contains("dpm++2m", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_listed_name_is_found()
    {
        foreach (var name in SchedulerNames.All.Where(name => !name.StartsWith("flow", StringComparison.Ordinal)))
            SchedulerNames.Find(name, SchedulerConfig.Default("DPMSolverMultistepScheduler"));
    }

    [Fact]
    public void Configurations_older_than_final_sigmas_type_end_where_their_solver_can()
    {
        using var old = System.Text.Json.JsonDocument.Parse("""{"_class_name":"DPMSolverMultistepScheduler","algorithm_type":"dpmsolver"}""");
        Assert.Equal(FinalSigmasType.SigmaMin, SchedulerConfig.Read(old.RootElement).FinalSigmasType);
        Assert.Equal(FinalSigmasType.Zero, SchedulerConfig.Default("DPMSolverMultistepScheduler").FinalSigmasType);
    }

    [Theory]
    [InlineData("DPMSolverMultistepScheduler", """{"solver_order":4}""", "solver_order is 4")]
    [InlineData("DPMSolverMultistepScheduler", """{"algorithm_type":"dpmsolver","final_sigmas_type":"zero"}""", "final_sigmas_type is zero")]
    [InlineData("DPMSolverMultistepScheduler", """{"prediction_type":"flow_prediction"}""", "use_flow_sigmas is false")]
    [InlineData("DPMSolverSinglestepScheduler", """{"algorithm_type":"sde-dpmsolver","final_sigmas_type":"sigma_min"}""", "algorithm_type is sde-dpmsolver")]
    [InlineData("UniPCMultistepScheduler", """{"shift_terminal":0.1}""", "shift_terminal is 0.1")]
    [InlineData("EDMEulerScheduler", """{"sigma_schedule":"linear"}""", "sigma_schedule is linear")]
    public void Values_without_an_implementation_are_named(string className, string json, string expected)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        var config = SchedulerConfig.Read(document.RootElement, className);
        Assert.Contains(expected, Assert.Throws<BrumaException>(() => Scheduler.Create(config, 10)).Message, StringComparison.Ordinal);
    }

    private static string Told(SchedulerConfig config)
    {
        var solver = config.ClassName.StartsWith("DPM", StringComparison.Ordinal) ? $" {config.AlgorithmType} {config.SolverOrder}" : "";
        var spacing = config.SigmaSpacing == SigmaSpacing.Discrete ? "" : " " + config.SigmaSpacing.ToString().ToLowerInvariant();
        var steps = config.TimestepSpacing == TimestepSpacing.Trailing ? " trailing" : config.ClassName == "EulerDiscreteScheduler" && config.TimestepSpacing == TimestepSpacing.Leading ? " leading" : "";
        var flow = config.UseFlowSigmas ? $" flow {config.FlowShift}" : "";
        return config.ClassName + solver + spacing + steps + flow;
    }
}
