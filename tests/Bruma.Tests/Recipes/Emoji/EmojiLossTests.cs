using Bruma.Nn;
using Bruma.Recipes.Emoji;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes.Emoji;

public sealed class EmojiLossTests
{
    [Fact]
    public void Contrast_of_vectors_that_have_nothing_in_common_is_that_of_the_bias()
    {
        using var scope = NewDisposeScope();
        var pictures = eye(4, 8);
        var captions = cat([zeros(4, 4), eye(4)], 1); // orthogonal to every picture
        var belong = eye(4).to(@bool);
        var (scale, bias) = (tensor(new[] { (float)Math.Log(10) }), tensor(new[] { -3f }));
        var expected = Math.Log(1 + Math.Exp(3)) + 3 * Math.Log(1 + Math.Exp(-3)); // one right and three wrong captions each
        Assert.Equal(expected, SigmoidContrast.Loss(pictures, captions, belong, scale, bias).item<float>(), 1e-5);
    }

    [Fact]
    public void Contrast_rewards_what_belongs_together()
    {
        using var scope = NewDisposeScope();
        var (scale, bias) = (tensor(new[] { (float)Math.Log(10) }), tensor(new[] { -5f }));
        var right = SigmoidContrast.Loss(eye(3), eye(3), eye(3).to(@bool), scale, bias).item<float>();
        var expected = Math.Log(1 + Math.Exp(-5)) + 2 * Math.Log(1 + Math.Exp(-5)); // logits 10 - 5 for the right one, -5 for the others
        Assert.Equal(expected, right, 1e-5);
        Assert.True(right < SigmoidContrast.Loss(eye(3), eye(3).flip(0), eye(3).to(@bool), scale, bias).item<float>());
    }

    [Fact]
    public void Reconstruction_of_a_shift_in_brightness_is_known()
    {
        using var scope = NewDisposeScope();
        var pictures = rand([2, 3, 16, 16], generator: new Generator(1, CPU)) - 0.5;
        Assert.Equal(0, EmojiVaeLoss.Reconstruction(pictures, pictures).item<float>(), 1e-6);
        const double Shift = 0.2; // no edge moves: L1 + 0.5 MSE + 0.5 L1 of areas
        Assert.Equal(Shift + 0.5 * Shift * Shift + 0.5 * Shift, EmojiVaeLoss.Reconstruction(pictures + Shift, pictures).item<float>(), 1e-4);
    }

    [Fact]
    public void Folding_normalises_latents_and_changes_no_picture()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var network = Small();
        var pictures = rand([4, 3, 32, 32], generator: new Generator(2, CPU)) * 2 - 1;
        var before = network.call(pictures);
        var (mean, deviation) = LatentNormalisation.Measure(network, [pictures.alias()]);
        var folded = LatentNormalisation.Fold(network.named_parameters().Select(pair => new KeyValuePair<string, Tensor>(pair.name, pair.parameter)), mean, deviation);
        foreach (var (name, parameter) in network.named_parameters())
            parameter.copy_(folded[name]);

        Assert.True(allclose(before, network.call(pictures), 1e-4, 1e-4));
        Assert.True(network.Encode(pictures).LogVariance.eq(-30).all().item<bool>()); // what is drawn is the mean
        var (newMean, newDeviation) = LatentNormalisation.Measure(network, [pictures.alias()]);
        Assert.True(allclose(newMean, zeros_like(newMean), 1e-4, 1e-4));
        Assert.True(allclose(newDeviation, ones_like(newDeviation), 1e-3, 1e-3));
    }

    [Fact]
    public void Losses_leave_no_tensor_behind()
    {
        using var network = Small();
        using var random = new Generator(3, CPU);
        Leaks.None(() => EmojiVaeLoss.Of(network, rand([2, 3, 32, 32]), 1e-6, random));
    }

    private static AutoencoderKl Small()
    {
        var network = new AutoencoderKl(new EmojiVaeOptions("", Widths: [16, 16]).Network);
        using var start = HashedSeed.At(5);
        network.Initialize(start);
        return network;
    }
}
