using Bruma.Gans;
using Bruma.Nn;
using Bruma.Tests.Support;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Bruma.Tests.Gans;

/// <summary>A discriminator of patches beside a convolution that is asked for blurred pictures.</summary>
public sealed class PatchAdversaryTests : IDisposable
{
    private const int Size = 32;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Its_gradient_in_the_last_layer_is_the_asked_share_of_the_other_losses_gradient()
    {
        using var scope = NewDisposeScope();
        using var layer = Layer();
        using var adversary = new PatchAdversary(new PatchAdversaryOptions(0.25, FirstPull: 1, Width: 8));
        var (alone, pulled) = (Gradient(layer, adversary, 0), Gradient(layer, adversary, 1)); // at step 0 the discriminator learns alone
        Assert.Equal(0.25, ((pulled - alone).norm() / alone.norm()).item<float>(), 1e-3);
    }

    [Fact]
    public void What_is_asked_to_be_blurred_comes_out_sharper_and_no_tensor_stays_behind()
    {
        var (without, _) = Trained(0);
        var (with, counts) = Trained(2);
        Assert.True(with > 1.2 * without, $"{with} against {without}");
        Assert.Equal(counts[9], counts[^1]);
    }

    [Fact]
    public void A_restored_one_goes_on_as_it_was()
    {
        using var layer = Layer();
        using var first = new PatchAdversary(new PatchAdversaryOptions(0.5, 0, Width: 8));
        Learn(first, 0, 3);
        first.Save(_folder["kept/x"][..^2]);
        Learn(first, 3, 6);
        first.Save(_folder["whole/x"][..^2]);
        using var second = new PatchAdversary(new PatchAdversaryOptions(0.5, 0, Width: 8, Seed: 9));
        second.Restore(_folder["kept/x"][..^2]);
        Learn(second, 3, 6);
        second.Save(_folder["again/x"][..^2]);
        var files = Directory.EnumerateFiles(_folder["whole/x"][..^2]).ToList();
        Assert.Equal(["discriminator.safetensors", "optimizer-d.safetensors"], files.Select(Path.GetFileName).Order());
        Assert.All(files, file => Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file.Replace("whole", "again", StringComparison.Ordinal))));

        void Learn(PatchAdversary adversary, int from, int to)
        {
            for (var step = from; step < to; step++)
            {
                using var scope = NewDisposeScope();
                var (pictures, blurred) = Pictures(step);
                var output = layer.call(blurred);
                adversary.AddTo((output - blurred).abs().mean(), output, pictures, layer.weight, step);
            }
        }
    }

    private static Tensor Gradient(Conv2d layer, PatchAdversary adversary, int step)
    {
        var (pictures, blurred) = Pictures(0);
        var output = layer.call(blurred);
        var loss = adversary.AddTo((output - blurred).abs().mean(), output, pictures, layer.weight, step);
        return autograd.grad([loss], [layer.weight])[0];
    }

    /// <summary>How sharp the layer's pictures are after some steps towards blurred ones.</summary>
    private static (float Edges, List<long> Counts) Trained(double weight)
    {
        using var scope = NewDisposeScope();
        using var layer = Layer();
        using var adversary = weight > 0 ? new PatchAdversary(new PatchAdversaryOptions(weight, 5, Width: 8)) : null;
        using var optimizer = optim.Adam(layer.parameters(), 0.02);
        var counts = new List<long>();
        for (var step = 0; step < 60; step++)
        {
            using var own = NewDisposeScope();
            var (pictures, blurred) = Pictures(step);
            var output = layer.call(pictures);
            var loss = (output - blurred).abs().mean();
            optimizer.zero_grad();
            (adversary is null ? loss : adversary.AddTo(loss, output, pictures, layer.weight, step)).backward();
            optimizer.step();
            counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
        return (Bruma.Recipes.Emoji.EmojiVaeLoss.Edges(layer.call(Pictures(1000).Sharp)).item<float>(), counts);
    }

    /// <summary>Noise, and the same blurred.</summary>
    private static (Tensor Sharp, Tensor Blurred) Pictures(int number)
    {
        using var random = HashedSeed.At(4, number);
        var sharp = rand([4, 3, Size, Size], generator: random) * 2 - 1;
        return (sharp, nn.functional.avg_pool2d(sharp, 3, 1, 1));
    }

    /// <summary>Begins near a blur.</summary>
    private static Conv2d Layer()
    {
        using var still = no_grad();
        using var random = HashedSeed.At(5, 0);
        var layer = nn.Conv2d(3, 3, 3, padding: 1);
        layer.weight.normal_(0, 0.01, random);
        layer.bias!.zero_();
        for (var channel = 0; channel < 3; channel++)
            layer.weight[channel, channel].add_(1f / 9);
        return layer;
    }
}
