using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Gans;

/// <summary>Start weights from a generator, in the order of the modules.</summary>
public static class GanStart
{
    private const double NormalisedDeviation = 0.02; // DCGAN's, arXiv:1511.06434
    private const double Gain = 1.3867504905630728; // √(2 / (1 + 0.2²)), for leaky ReLU of slope 0.2

    /// <summary>Small normal weights where batch norms set the scale, else weights that keep the variance (He et al. 2015); residual branches without norms begin at 0.</summary>
    public static void Initialize(Module network, Generator random)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var isNormalised = network.modules().OfType<BatchNorm2d>().Any();
        foreach (var module in network.modules())
            switch (module)
            {
                case SpectralNorm norm:
                    Draw(norm.Original, null);
                    norm.Initialize(random);
                    break;
                case Conv2d layer:
                    Draw(layer.weight, layer.bias);
                    break;
                case ConvTranspose2d layer:
                    Draw(layer.weight, layer.bias, fanIn: layer.weight.shape[0]);
                    break;
                case UpsampledConv2d layer:
                    Draw(layer.Weight, layer.Bias);
                    break;
                case PointToPatch layer:
                    Draw(layer.Weight, layer.Bias, fanIn: layer.Weight.shape[0]);
                    break;
                case Linear layer:
                    Draw(layer.weight, layer.bias);
                    break;
                case Embedding layer:
                    layer.weight!.normal_(0, network is GanGenerator ? 1 : 1 / Math.Sqrt(layer.weight.shape[1]), random);
                    break;
            }
        if (!isNormalised)
            foreach (var block in network.modules().OfType<ResidualBlock>())
                foreach (var parameter in block.Last.parameters().Where(parameter => block.Last is not SpectralConv2d || parameter.dim() == 1))
                    parameter.zero_();

        void Draw(Tensor weight, Tensor? bias, long? fanIn = null)
        {
            weight.normal_(0, isNormalised ? NormalisedDeviation : Gain / Math.Sqrt(fanIn ?? weight.numel() / weight.shape[0]), random);
            bias?.zero_();
        }
    }
}
