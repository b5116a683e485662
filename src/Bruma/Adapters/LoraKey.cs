using System.Text.RegularExpressions;

namespace Bruma.Adapters;

/// <summary>What a stored tensor is of its layer's update.</summary>
internal enum LoraPart
{
    /// <summary>[r, in], the factor that is applied first.</summary>
    Down,

    /// <summary>[out, r].</summary>
    Up,

    /// <summary>[r, r, k, k] between the two (LoCon in Tucker form).</summary>
    Middle,

    /// <summary>The number that is divided by r.</summary>
    Alpha,

    /// <summary>Row lengths of DoRA, as PEFT stores them.</summary>
    Magnitude,

    /// <summary>Row or column lengths of DoRA, as LyCORIS stores them.</summary>
    DoraScale,
}

/// <summary>Splits the keys of all LoRA layouts into the name of a layer and the part of its update.</summary>
/// <remarks>The name is left as the file spells it: which layer it is, the model's own list of layers says (<see cref="LoraNames"/>).</remarks>
internal static partial class LoraKey
{
    private static readonly (string End, LoraPart Part)[] Ends =
    [
        (".lora_A.weight", LoraPart.Down),
        (".lora_B.weight", LoraPart.Up),
        (".lora_down.weight", LoraPart.Down),
        (".lora_up.weight", LoraPart.Up),
        (".lora_mid.weight", LoraPart.Middle),
        (".lora.down.weight", LoraPart.Down),
        (".lora.up.weight", LoraPart.Up),
        (".lora_linear_layer.down.weight", LoraPart.Down),
        (".lora_linear_layer.up.weight", LoraPart.Up),
        ("_lora.down.weight", LoraPart.Down),
        ("_lora.up.weight", LoraPart.Up),
        (".lora_magnitude_vector.weight", LoraPart.Magnitude),
        (".lora_magnitude_vector", LoraPart.Magnitude),
        (".dora_scale", LoraPart.DoraScale),
        (".alpha", LoraPart.Alpha),
    ];

    /// <summary>Other ways to change a model, which share the file extension. A mark with a dot is the end of a key.</summary>
    private static readonly (string Mark, string What)[] Others =
    [
        ("hada_w1", "LoHa (LyCORIS)"),
        ("lokr_w", "LoKr (LyCORIS)"),
        ("oft_", "OFT"),
        (".diff", "full differences of weights"),
        (".diff_b", "full differences of weights"),
        ("ia3", "IA3"),
        ("lora_embedding_", "LoRA of embeddings"),
        ("lora_A.bias", "LoRA with biases"),
        ("lora_B.bias", "LoRA with biases"),
    ];

    /// <returns>The layer as the file names it, and the part; null for a key of no known layout.</returns>
    public static (string Layer, LoraPart Part)? Parse(string key)
    {
        key = AdapterName().Replace(key, "$1$2"); // PEFT's name of the adapter, "default" mostly
        foreach (var (end, part) in Ends)
            if (key.EndsWith(end, StringComparison.Ordinal) && key.Length > end.Length)
            {
                var layer = key[..^end.Length].Replace(".processor.", ".", StringComparison.Ordinal);
                return (layer.StartsWith("base_model.model.", StringComparison.Ordinal) ? layer["base_model.model.".Length..] : layer, part);
            }
        return null;
    }

    /// <summary>What a key of no known layout belongs to, in words; null when that is unknown too.</summary>
    public static string? Other(string key) => Others.FirstOrDefault(other => other.Mark[0] == '.' ? key.EndsWith(other.Mark, StringComparison.Ordinal) : key.Contains(other.Mark, StringComparison.Ordinal)).What;

    [GeneratedRegex(@"(\.lora_(?:A|B|magnitude_vector))\.(?!weight$|bias$)\w+(\.weight$|\.bias$|$)")]
    private static partial Regex AdapterName();
}
