using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Activation functions by the names that configs use.</summary>
public static class Activation
{
    /// <summary>The names that configs of diffusers use.</summary>
    public static readonly string[] Names = ["silu", "swish", "mish", "gelu", "relu"];

    /// <summary>The names that configs of transformers use.</summary>
    public static readonly string[] TransformerNames =
    [
        .. Names, "quick_gelu", "gelu_new", "gelu_fast", "gelu_accurate", "gelu_python", "gelu_python_tanh", "gelu_pytorch_tanh", "gelu_10",
        "leaky_relu", "linear", "relu2", "relu6", "sigmoid", "tanh",
    ];

    /// <exception cref="BrumaException">The name is none of <see cref="TransformerNames"/>.</exception>
    public static Func<Tensor, Tensor> Named(string name) => name switch
    {
        "silu" or "swish" => x => nn.functional.silu(x),
        "mish" => x => nn.functional.mish(x),
        "gelu" or "gelu_python" => x => nn.functional.gelu(x),
        "gelu_new" or "gelu_fast" or "gelu_accurate" or "gelu_python_tanh" or "gelu_pytorch_tanh" => x => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        "gelu_10" => x => nn.functional.gelu(x).clamp_(-10, 10),
        "quick_gelu" => QuickGelu,
        "relu" => x => nn.functional.relu(x),
        "leaky_relu" => x => nn.functional.leaky_relu(x, 0.01),
        "linear" => x => x.alias(),
        "relu2" => x => nn.functional.relu(x).square(),
        "relu6" => x => nn.functional.relu6(x),
        "sigmoid" => x => sigmoid(x),
        "tanh" => x => tanh(x),
        _ => throw new BrumaException($"\"{name}\" is no activation that Bruma implements; it knows {string.Join(", ", TransformerNames)}."),
    };

    /// <summary>x σ(1.702 x), the approximation of GELU that CLIP was trained with.</summary>
    public static Tensor QuickGelu(Tensor x)
    {
        using var scope = NewDisposeScope();
        return (x * sigmoid(1.702 * x)).MoveToOuterDisposeScope();
    }
}
