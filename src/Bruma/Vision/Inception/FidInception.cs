using Bruma.Hub;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision.Inception;

/// <summary>What FID's network says of pictures.</summary>
/// <param name="Taps">Means over positions at widths 64, 192, 768 and 2048, [B, width] each; the last are FID's features.</param>
/// <param name="Unbiased">Logits without bias, [B, 1008]: the Inception score's.</param>
/// <param name="Logits">Logits with bias, [B, 1008].</param>
public readonly record struct InceptionOutput(IReadOnlyDictionary<int, Tensor> Taps, Tensor Unbiased, Tensor Logits)
{
    public Tensor Features => Taps[FidInception.FeatureWidth];
}

/// <summary>The Inception v3 that FID is defined by: the port of the 2015 TensorFlow graph with 1008 classes, whose numbers torchvision's network does not give.</summary>
/// <remarks>Szegedy et al. 2016, arXiv:1512.00567; keys of <c>pt_inception-2015-12-05</c>. Differences: averages leave the padding out, the last block pools the maximum, no auxiliary head.</remarks>
public sealed class FidInception : Module<Tensor, InceptionOutput>
{
    public const int FeatureWidth = 2048;

    /// <summary>Height and width of the input.</summary>
    public const int Size = 299;

    private const int Classes = 1008;

    private readonly InceptionConv2d Conv2d_1a_3x3 = new(3, 32, 3, stride: 2, isPadded: false);
    private readonly InceptionConv2d Conv2d_2a_3x3 = new(32, 32, 3, isPadded: false);
    private readonly InceptionConv2d Conv2d_2b_3x3 = new(32, 64, 3);
    private readonly InceptionConv2d Conv2d_3b_1x1 = new(64, 80, 1);
    private readonly InceptionConv2d Conv2d_4a_3x3 = new(80, 192, 3, isPadded: false);
    private readonly InceptionA Mixed_5b = new(192, 32);
    private readonly InceptionA Mixed_5c = new(256, 64);
    private readonly InceptionA Mixed_5d = new(288, 64);
    private readonly InceptionB Mixed_6a = new(288);
    private readonly InceptionC Mixed_6b = new(768, 128);
    private readonly InceptionC Mixed_6c = new(768, 160);
    private readonly InceptionC Mixed_6d = new(768, 160);
    private readonly InceptionC Mixed_6e = new(768, 192);
    private readonly InceptionD Mixed_7a = new(768);
    private readonly InceptionE Mixed_7b = new(1280, poolsLargest: false);
    private readonly InceptionE Mixed_7c = new(2048, poolsLargest: true);
    private readonly Linear fc = Linear(FeatureWidth, Classes);

    public FidInception() : base(nameof(FidInception)) => RegisterComponents();

    /// <summary>Reads a user's file of weights (<c>pt_inception-2015-12-05-6726825d.pth</c>, or the same as safetensors).</summary>
    public static FidInception Load(string file)
    {
        var network = new FidInception();
        using var weights = CheckpointFile.Open(file);
        ModuleWeights.Load(network, weights);
        network.eval();
        return network;
    }

    /// <summary>Whether a file's tensors are this network's.</summary>
    public static bool Fits(ITensorSource weights) => weights.Tensors.ContainsKey("Mixed_7c.branch3x3dbl_3b.conv.weight") && weights.Tensors.TryGetValue("fc.weight", out var head) && head.Shape is [Classes, FeatureWidth];

    /// <param name="images">[B, 3, 299, 299] in [-1, 1]: what <see cref="Prepare"/> gives.</param>
    public override InceptionOutput forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var taps = new Dictionary<int, Tensor>();
        var x = InceptionPooling.Halve(Conv2d_2b_3x3.call(Conv2d_2a_3x3.call(Conv2d_1a_3x3.call(images))));
        Tap(64);
        x = InceptionPooling.Halve(Conv2d_4a_3x3.call(Conv2d_3b_1x1.call(x)));
        Tap(192);
        x = Mixed_6a.call(Mixed_5d.call(Mixed_5c.call(Mixed_5b.call(x))));
        x = Mixed_6e.call(Mixed_6d.call(Mixed_6c.call(Mixed_6b.call(x))));
        Tap(768);
        x = Mixed_7c.call(Mixed_7b.call(Mixed_7a.call(x)));
        Tap(FeatureWidth);
        var unbiased = taps[FeatureWidth].matmul(fc.weight.t());
        var logits = unbiased + fc.bias!;
        foreach (var tap in taps.Values)
            tap.MoveToOuterDisposeScope();
        return new InceptionOutput(taps, unbiased.MoveToOuterDisposeScope(), logits.MoveToOuterDisposeScope());

        void Tap(int width) => taps[width] = x.mean([2L, 3L]);
    }

    /// <summary>Resizes as TensorFlow 1 does (no half pixel, no antialiasing) and scales to [-1, 1].</summary>
    /// <param name="picture">uint8 [1 or 3, H, W]; gray becomes three equal channels.</param>
    /// <returns>fp32 [3, 299, 299].</returns>
    public static Tensor Prepare(Tensor picture)
    {
        using var scope = NewDisposeScope();
        return ((Resize(picture.expand(3, -1, -1)) - 128) / 128).MoveToOuterDisposeScope();
    }

    /// <summary>Bilinear from the positions index · (in / out), columns first; fp32 [..., 299, 299] in grey levels.</summary>
    /// <param name="pixels">uint8 [..., H, W].</param>
    public static Tensor Resize(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var x = pixels.to(float32);
        foreach (var dimension in new[] { x.dim() - 1, x.dim() - 2 })
        {
            var (lower, upper, share) = Sources((int)x.shape[dimension]);
            var weight = dimension == x.dim() - 1 ? share : share.unsqueeze(1);
            var (a, b) = (x.index_select(dimension, lower), x.index_select(dimension, upper));
            x = a + (b - a) * weight;
        }
        return x.MoveToOuterDisposeScope();
    }

    private static (Tensor Lower, Tensor Upper, Tensor Share) Sources(int size)
    {
        var scale = (float)size / Size;
        var positions = Enumerable.Range(0, Size).Select(i => i * scale).ToArray();
        var lower = positions.Select(position => (long)position).ToArray();
        return (tensor(lower), tensor(lower.Select(i => Math.Min(i + 1, size - 1)).ToArray()), tensor(positions.Zip(lower, (position, i) => position - i).ToArray()));
    }
}
