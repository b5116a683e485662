using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Activation functions by the names that configs use.</summary>
public static class Activation
{
    /// <summary>The names for <see cref="Named"/>.</summary>
    public static readonly string[] Names = ["silu", "swish", "mish", "gelu", "relu"];

    /// <exception cref="BrumaException">The name is none of <see cref="Names"/>.</exception>
    public static Func<Tensor, Tensor> Named(string name) => name switch
    {
        "silu" or "swish" => x => nn.functional.silu(x),
        "mish" => x => nn.functional.mish(x),
        "gelu" => x => nn.functional.gelu(x),
        "relu" => x => nn.functional.relu(x),
        _ => throw new BrumaException($"\"{name}\" is no activation that Bruma implements; it knows {string.Join(", ", Names)}."),
    };
}
