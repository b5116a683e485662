using System.Text.Json;
using Bruma.Gans;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Kinds <c>gan_loss</c>, <c>spectral_norm</c> and <c>diffaugment</c>.</summary>
internal static class GanKinds
{
    public static void Losses(GoldenCase golden, CaseReport report)
    {
        using var critic = LayerList.Build(LayersOf(golden.Spec.GetProperty("critic")));
        Fill(critic, golden, "weights.");
        var (r, f) = (golden.Tensor("logits_real"), golden.Tensor("logits_fake"));
        foreach (var row in golden.Spec.GetProperty("losses").EnumerateObject())
            report.Compare(row.Name, Loss(row.Name, r, f).item<float>(), row.Value.GetDouble());

        var (real, fake) = (golden.Tensor("real").requires_grad_(true), golden.Tensor("fake").requires_grad_(true));
        report.Compare("logits_real", critic.call(real).flatten());
        report.Compare("logits_fake", critic.call(fake).flatten());
        var between = GradientPenalties.Between(real, fake, golden.Tensor("alpha"));
        Compare("gradient_penalty", GradientPenalties.UnitSlope(critic.call(between).flatten(), between), "gp_grad.");
        Compare("r1", GradientPenalties.ZeroSlope(critic.call(real).flatten(), real), "r1_grad.");
        Compare("r2", GradientPenalties.ZeroSlope(critic.call(fake).flatten(), fake), null);

        void Compare(string name, Tensor penalty, string? gradients)
        {
            report.Compare(name, penalty.item<float>(), golden.Spec.GetProperty(name).GetDouble());
            critic.zero_grad();
            penalty.backward();
            if (gradients is not null)
                foreach (var (key, parameter) in critic.named_parameters().Where(pair => golden.Has(gradients + pair.name)))
                    report.Compare(gradients + key, parameter.grad!);
        }
    }

    public static void Spectral(GoldenCase golden, CaseReport report)
    {
        using var norm = new SpectralNorm(golden.Tensor("weight").shape);
        using (no_grad())
            foreach (var (key, name) in new[] { ("original", "weight"), ("0._u", "u"), ("0._v", "v") })
                norm.state_dict()[key].copy_(golden.Tensor(name));
        norm.train();
        var trace = Enumerable.Range(0, (int)golden.Tensor("trace").shape[0]).Select(_ => norm.Weight()).ToList();
        (trace[^1] * golden.Tensor("grad_output")).sum().backward();
        report.Compare("trace", stack(trace));
        report.Compare("grad_weight", norm.Original.grad!);
        var sigmas = golden.Spec.GetProperty("sigmas").EnumerateArray().Select(sigma => sigma.GetDouble()).ToList();
        var flat = golden.Tensor("weight").flatten();
        var largest = (int)flat.abs().argmax().item<long>();
        report.Compare("sigmas", [.. trace.Select(weight => (double)(flat[largest] / weight.flatten()[largest]).item<float>())], sigmas);
        report.Compare("final_u", norm.state_dict()["0._u"]);
        report.Compare("final_v", norm.state_dict()["0._v"]);
        norm.eval();
        report.Compare("eval_weight", norm.Weight());
    }

    public static void Augmentation(GoldenCase golden, CaseReport report)
    {
        var x = golden.Tensor("x").requires_grad_(true);
        var size = golden.Spec.GetProperty("cutout_size");
        var y = x;
        foreach (var step in golden.Spec.GetProperty("order").EnumerateArray().Select(step => step.GetString()!))
        {
            y = step switch
            {
                "brightness" => DiffAugment.Brightness(y, golden.Tensor("brightness_u")),
                "saturation" => DiffAugment.Saturation(y, golden.Tensor("saturation_u")),
                "contrast" => DiffAugment.Contrast(y, golden.Tensor("contrast_u")),
                "translation" => DiffAugment.Translation(y, golden.Tensor("translate_y"), golden.Tensor("translate_x")),
                "cutout" => DiffAugment.Cutout(y, golden.Tensor("cutout_y"), golden.Tensor("cutout_x"), (size[0].GetInt64(), size[1].GetInt64())),
                _ => throw new UnknownCaseException($"unknown augmentation {step}"),
            };
            report.Compare($"out.{step}", y);
        }
        (y * golden.Tensor("grad_output")).sum().backward();
        report.Compare("grad_x", x.grad!);
    }

    internal static LayerSpec[] LayersOf(JsonElement list) => list.Deserialize(GanConfigsJson.Default.LayerSpecArray)!;

    /// <summary>Copies stored weights into a module.</summary>
    internal static void Fill(Module module, GoldenCase golden, string prefix)
    {
        using var still = no_grad();
        foreach (var (key, target) in module.state_dict().Where(pair => golden.Has(prefix + pair.Key)))
            target.copy_(golden.Tensor(prefix + key));
    }

    private static Tensor Loss(string name, Tensor r, Tensor f) => name switch
    {
        "nonsaturating_d" => AdversarialLosses.NonSaturatingDiscriminator(r, f),
        "nonsaturating_g" => AdversarialLosses.NonSaturatingGenerator(f),
        "minimax_g" => AdversarialLosses.MinimaxGenerator(f),
        "hinge_d" => AdversarialLosses.HingeDiscriminator(r, f),
        "hinge_g" => AdversarialLosses.HingeGenerator(f),
        "wasserstein_d" => AdversarialLosses.WassersteinDiscriminator(r, f),
        "wasserstein_g" => AdversarialLosses.WassersteinGenerator(f),
        "lsgan_d" => AdversarialLosses.LeastSquaresDiscriminator(r, f),
        "lsgan_g" => AdversarialLosses.LeastSquaresGenerator(f),
        "rpgan_d" => AdversarialLosses.RelativisticDiscriminator(r, f),
        "rpgan_g" => AdversarialLosses.RelativisticGenerator(r, f),
        "rahinge_d" => AdversarialLosses.RelativisticAverageHingeDiscriminator(r, f),
        "rahinge_g" => AdversarialLosses.RelativisticAverageHingeGenerator(r, f),
        _ => throw new UnknownCaseException($"unknown loss {name}"),
    };
}
