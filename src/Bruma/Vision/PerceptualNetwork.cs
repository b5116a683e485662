using Bruma.Hub;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision;

/// <summary>The convolutional part of AlexNet, VGG-16 or SqueezeNet 1.1 with the layers that LPIPS looks at. Checkpoint keys <c>features.N</c> of torchvision.</summary>
public sealed class PerceptualNetwork : Module<Tensor, IReadOnlyList<Tensor>>
{
    /// <summary>The networks by LPIPS's names, with the indices of their taps.</summary>
    public static readonly IReadOnlyDictionary<string, IReadOnlyList<int>> Taps = new Dictionary<string, IReadOnlyList<int>>(StringComparer.Ordinal)
    {
        ["alex"] = [1, 4, 7, 9, 11],
        ["vgg"] = [3, 8, 15, 22, 29],
        ["squeeze"] = [1, 4, 7, 9, 10, 11, 12],
    };

    private readonly Sequential features;
    private readonly Module<Tensor, Tensor>[] _layers;
    private readonly IReadOnlyList<int> _taps;

    /// <param name="net"><c>alex</c>, <c>vgg</c> or <c>squeeze</c>.</param>
    public PerceptualNetwork(string net) : base(nameof(PerceptualNetwork))
    {
        _taps = Taps.TryGetValue(net, out var taps) ? taps : throw new BrumaException($"\"{net}\" is no network of LPIPS; it has {string.Join(", ", Taps.Keys)}.");
        _layers = net switch
        {
            "alex" => Alex(),
            "vgg" => Vgg(),
            _ => Squeeze(),
        };
        features = Sequential(_layers);
        Net = net;
        RegisterComponents();
    }

    public string Net { get; }

    /// <summary>The network that a torchvision file of weights holds; null for another.</summary>
    public static string? Recognize(ITensorSource weights) => weights.Tensors.GetValueOrDefault("features.0.weight")?.Shape switch
    {
        [64, 3, 11, 11] => "alex",
        [64, 3, 3, 3] when weights.Tensors.ContainsKey("features.28.weight") => "vgg",
        [64, 3, 3, 3] when weights.Tensors.ContainsKey("features.3.squeeze.weight") => "squeeze",
        _ => null,
    };

    /// <summary>Reads torchvision's file of weights; its classifier is left out.</summary>
    public static PerceptualNetwork Load(string file)
    {
        using var weights = CheckpointFile.Open(file);
        var network = new PerceptualNetwork(Recognize(weights) ?? throw new BrumaException($"{file}: holds none of the networks of LPIPS; expected torchvision's AlexNet, VGG-16 or SqueezeNet 1.1."));
        ModuleWeights.Load(network, weights, new WeightOptions(Ignore: name => name.StartsWith("classifier.", StringComparison.Ordinal)));
        network.eval();
        return network;
    }

    /// <param name="x">[B, 3, H, W], normalised.</param>
    /// <returns>The features at the taps, from the first to the last.</returns>
    public override IReadOnlyList<Tensor> forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var found = new List<Tensor>();
        for (var i = 0; i <= _taps[^1]; i++)
        {
            x = _layers[i].call(x);
            if (_taps.Contains(i))
                found.Add(x.MoveToOuterDisposeScope());
        }
        return found;
    }

    private static Module<Tensor, Tensor>[] Alex() =>
    [
        Conv2d(3, 64, 11, stride: 4, padding: 2), ReLU(), MaxPool2d(3, 2), Conv2d(64, 192, 5, padding: 2), ReLU(), MaxPool2d(3, 2),
        Conv2d(192, 384, 3, padding: 1), ReLU(), Conv2d(384, 256, 3, padding: 1), ReLU(), Conv2d(256, 256, 3, padding: 1), ReLU(),
    ];

    private static Module<Tensor, Tensor>[] Vgg()
    {
        var layers = new List<Module<Tensor, Tensor>>();
        var width = 3;
        foreach (var (channels, repeats) in new[] { (64, 2), (128, 2), (256, 3), (512, 3), (512, 3) })
        {
            if (layers.Count > 0)
                layers.Add(MaxPool2d(2, 2));
            for (var i = 0; i < repeats; i++)
            {
                layers.AddRange([Conv2d(width, channels, 3, padding: 1), ReLU()]);
                width = channels;
            }
        }
        return [.. layers];
    }

    private static Module<Tensor, Tensor>[] Squeeze() =>
    [
        Conv2d(3, 64, 3, stride: 2), ReLU(), MaxPool2d(3, 2, ceil_mode: true), new FireBlock(64, 16, 64), new FireBlock(128, 16, 64),
        MaxPool2d(3, 2, ceil_mode: true), new FireBlock(128, 32, 128), new FireBlock(256, 32, 128), MaxPool2d(3, 2, ceil_mode: true),
        new FireBlock(256, 48, 192), new FireBlock(384, 48, 192), new FireBlock(384, 64, 256), new FireBlock(512, 64, 256),
    ];
}

/// <summary>SqueezeNet's block: narrow, then 1x1 and 3x3 side by side (arXiv:1602.07360).</summary>
public sealed class FireBlock : Module<Tensor, Tensor>
{
    private readonly Conv2d squeeze;
    private readonly Conv2d expand1x1;
    private readonly Conv2d expand3x3;

    public FireBlock(int inputs, int narrow, int wide) : base(nameof(FireBlock))
    {
        squeeze = Conv2d(inputs, narrow, 1);
        expand1x1 = Conv2d(narrow, wide, 1);
        expand3x3 = Conv2d(narrow, wide, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = functional.relu(squeeze.call(x));
        return cat([functional.relu(expand1x1.call(h)), functional.relu(expand3x3.call(h))], 1).MoveToOuterDisposeScope();
    }
}
