using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Nn;

/// <summary>Draws start weights from a given generator, in the order of the module's parameters.</summary>
public static class Initialization
{
    /// <summary>PyTorch's defaults for linear and convolution layers (uniform within 1 / √fan-in), norms (1 and 0) and embeddings (unit normal).</summary>
    public static void Reset(Module network, Generator generator)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        foreach (var module in network.modules().Prepend(network).Distinct()) // a layer alone, too: modules() leaves out the network itself
            switch (module)
            {
                case Linear linear:
                    Uniform(linear.weight, linear.bias, generator);
                    break;
                case Conv2d convolution:
                    Uniform(convolution.weight, convolution.bias, generator);
                    break;
                case Embedding embedding:
                    embedding.weight!.normal_(0, 1, generator);
                    break;
                case GroupNorm norm:
                    norm.weight.fill_(1);
                    norm.bias?.zero_();
                    break;
                case LayerNorm { weight: not null } norm:
                    norm.weight.fill_(1);
                    norm.bias?.zero_();
                    break;
                case ActivatedGroupNorm norm:
                    norm.Reset();
                    break;
                case RmsNorm norm:
                    norm.Reset();
                    break;
                case FourierProjection projection:
                    projection.Initialize(generator);
                    break;
            }
    }

    /// <summary>Makes layers begin with output 0.</summary>
    public static void Zero(params Module[] layers)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        foreach (var parameter in layers.SelectMany(layer => layer.parameters()))
            parameter.zero_();
    }

    /// <summary>Normal weights of deviation gain / √fan-in (He et al. 2015, arXiv:1502.01852) and bias 0.</summary>
    public static void Kaiming(Conv2d convolution, double gain, Generator generator)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        convolution.weight.normal_(0, gain / Math.Sqrt(convolution.weight[0].numel()), generator);
        convolution.bias?.zero_();
    }

    /// <summary>Uniform weights within √(6 / (inputs + outputs)) (Glorot and Bengio 2010) and bias 0.</summary>
    public static void Xavier(Linear linear, Generator generator)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        Glorot(linear.weight, generator);
        linear.bias?.zero_();
    }

    /// <summary>The same for a matrix, [outputs, inputs], that is no layer of its own.</summary>
    public static void Glorot(Tensor matrix, Generator generator)
    {
        var bound = Math.Sqrt(6.0 / matrix.shape.Sum());
        matrix.uniform_(-bound, bound, generator);
    }

    private static void Uniform(Tensor weight, Tensor? bias, Generator generator)
    {
        var bound = 1 / Math.Sqrt(weight.numel() / (double)weight.shape[0]);
        weight.uniform_(-bound, bound, generator);
        bias?.uniform_(-bound, bound, generator);
    }
}
