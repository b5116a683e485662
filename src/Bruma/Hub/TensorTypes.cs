using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>The spelling of element types in safetensors files.</summary>
public static class TensorTypes
{
    private static readonly Dictionary<string, (ScalarType? Type, int Size)> Known = new(StringComparer.Ordinal)
    {
        ["F64"] = (ScalarType.Float64, 8),
        ["F32"] = (ScalarType.Float32, 4),
        ["F16"] = (ScalarType.Float16, 2),
        ["BF16"] = (ScalarType.BFloat16, 2),
        ["F8_E4M3"] = (null, 1),
        ["F8_E5M2"] = (null, 1),
        ["I64"] = (ScalarType.Int64, 8),
        ["I32"] = (ScalarType.Int32, 4),
        ["I16"] = (ScalarType.Int16, 2),
        ["I8"] = (ScalarType.Int8, 1),
        ["U8"] = (ScalarType.Byte, 1),
        ["BOOL"] = (ScalarType.Bool, 1),
        ["U64"] = (null, 8),
        ["U32"] = (null, 4),
        ["U16"] = (null, 2),
    };

    /// <summary>Bytes per element; null for an unknown type.</summary>
    public static int? Size(string name) => Known.TryGetValue(name, out var type) ? type.Size : null;

    /// <summary>The type to compute with; null where libtorch has none.</summary>
    public static ScalarType? Of(string name) => Known.TryGetValue(name, out var type) ? type.Type : null;

    /// <summary>The type that values are read into when none is asked for: the stored one, or where libtorch has none the next that holds every value (for U64 as far as 63 bits reach).</summary>
    /// <remarks>Older builds of libtorch have no arithmetic for unsigned and 8-bit floating types.</remarks>
    public static ScalarType Read(string name) => Of(name) ?? name switch
    {
        "F8_E4M3" or "F8_E5M2" => ScalarType.Float32,
        "U16" => ScalarType.Int32,
        "U32" or "U64" => ScalarType.Int64,
        _ => throw new ArgumentException($"unknown type {name}", nameof(name)),
    };

    public static string Name(ScalarType type) =>
        Known.FirstOrDefault(known => known.Value.Type == type).Key ?? throw new ArgumentException($"no safetensors type for {type}", nameof(type));
}
