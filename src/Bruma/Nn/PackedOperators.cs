using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;
using Scalar = TorchSharp.Scalar;

namespace Bruma.Nn;

/// <summary>Linear layers and convolutions at inference whose weights lie in the order of memory in which oneDNN multiplies them, with what follows computed in the same pass.</summary>
/// <remarks>
/// The same products as the plain operators, which are the reference. A packed weight serves these operators alone, and any number of rows or pictures, though it
/// was packed for one. Nothing here has gradients.
/// </remarks>
public static class PackedOperators
{
    private const string Window = "[pad, pad], [stride, stride], [1, 1], 1";

    private static readonly (string, string)[] Methods =
    [
        ("pack_conv(w: Tensor, stride: int, pad: int, n: int, c: int, h: int, v: int)", $"torch.mkldnn_reorder_conv2d_weight(torch.to_mkldnn(w), {Window}, [n, c, h, v])"),
        ("unpack(w: Tensor)", "torch.to_dense(w)"),
        ("conv(x: Tensor, w: Tensor, b: Optional[Tensor], stride: int, pad: int)", $"ops.mkldnn._convolution_pointwise(x, w, b, {Window}, \"none\", _0, \"\")"),
        ("conv_add(x: Tensor, other: Tensor, w: Tensor, b: Optional[Tensor], stride: int, pad: int)", $"ops.mkldnn._convolution_pointwise(x, other, w, b, {Window}, \"add\", 1., None, _0, None)"),
        ("pack_linear(w: Tensor, rows: int)", "ops.mkldnn._reorder_linear_weight(w, rows)"),
        ("linear(x: Tensor, w: Tensor, b: Optional[Tensor])", "ops.mkldnn._linear_pointwise(x, w, b, \"none\", _0, \"\")"),
        ("linear_gelu(x: Tensor, w: Tensor, b: Optional[Tensor])", "ops.mkldnn._linear_pointwise(x, w, b, \"gelu\", _0, \"none\")"),
        ("linear_add(x: Tensor, other: Tensor, w: Tensor, b: Optional[Tensor])", "ops.mkldnn._linear_pointwise(x, other, w, b, \"add\")"),
        ("channels_last(x: Tensor)", "torch.contiguous(x, memory_format=2)"),
    ];

    private static readonly Lazy<jit.ScriptModule?> Loaded = new(Load);

    /// <summary>Whether the processor and the native library have the operators: a fixed rule, never a timing.</summary>
    public static bool AreAvailable => Loaded.Value is not null;

    /// <summary>Whether they may take a call: at inference, on the CPU, in fp32 and bf16.</summary>
    public static bool Take(Tensor x) =>
        (x.dtype == ScalarType.Float32 || x.dtype == ScalarType.BFloat16 && Avx512BW.IsSupported) && x.device.type == TorchSharp.DeviceType.CPU && !is_grad_enabled() && !Checkpoint.IsRunning && AreAvailable;

    /// <param name="weight">[O, I, k, k].</param>
    /// <param name="input">Shape of the usual input, [B, I, H, W].</param>
    /// <returns>A weight for <see cref="Convolve"/> alone.</returns>
    public static Tensor PackConvolution(Tensor weight, long stride, long padding, long[] input) => Run("pack_conv", weight, stride, padding, input[0], input[1], input[2], input[3]);

    /// <summary>The weight as it was before <see cref="PackConvolution"/>, to the bit.</summary>
    public static Tensor UnpackConvolution(Tensor packed) => Run("unpack", packed);

    /// <param name="x">[B, I, H, W]; the result has its order of memory.</param>
    /// <param name="packed">Of <see cref="PackConvolution"/>.</param>
    /// <param name="addition">Added to the result, of its shape; null for nothing.</param>
    /// <returns>[B, O, H', W'].</returns>
    public static Tensor Convolve(Tensor x, Tensor packed, Tensor? bias, long stride, long padding, Tensor? addition = null) => addition is null
        ? Run("conv", x, packed, bias!, stride, padding)
        : Run("conv_add", x, addition, packed, bias!, stride, padding);

    /// <param name="weight">[O, I].</param>
    /// <param name="rows">Usual number of rows that are multiplied at once.</param>
    /// <returns>A weight for <see cref="Multiply"/> and its relatives alone.</returns>
    public static Tensor PackLinear(Tensor weight, long rows) => Run("pack_linear", weight, rows);

    /// <param name="x">[..., I].</param>
    /// <param name="packed">Of <see cref="PackLinear"/>.</param>
    /// <param name="addition">Added to the result, of its shape; null for nothing.</param>
    /// <returns>[..., O].</returns>
    public static Tensor Multiply(Tensor x, Tensor packed, Tensor? bias, Tensor? addition = null) =>
        addition is null ? Run("linear", x, packed, bias!) : Run("linear_add", x, addition, packed, bias!);

    /// <summary>The same with GELU (with the error function) behind it.</summary>
    public static Tensor MultiplyGelu(Tensor x, Tensor packed, Tensor? bias) => Run("linear_gelu", x, packed, bias!);

    /// <summary>A feature map whose channels lie side by side in memory, as convolutions like them; the map itself where they do.</summary>
    /// <param name="x">[B, C, H, W].</param>
    public static Tensor ChannelsLast(Tensor x) => Run("channels_last", x);

    /// <summary>Numbers go as scalars that are held: those that the call makes itself can be freed before it is over.</summary>
    private static Tensor Run(string method, params object[] arguments)
    {
        for (var i = 0; i < arguments.Length; i++)
            if (arguments[i] is long number)
                arguments[i] = (Scalar)number;
        var result = (Tensor)Loaded.Value!.invoke(method, arguments);
        foreach (var argument in arguments)
            (argument as Scalar)?.Dispose();
        return result;
    }

    private static jit.ScriptModule? Load()
    {
        if (!Avx2.IsSupported || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return null;
        try
        {
            var module = jit.load(PackedArchive.Write(Methods), TorchSharp.DeviceType.CPU, -1);
            using var scope = NewDisposeScope();
            using var still = no_grad();
            var (x, w) = (ones(16, 16), ones(16, 16));
            using Scalar rows = 16L;
            module.invoke("linear", x, module.invoke("pack_linear", w, rows), null!);
            return module;
        }
        catch (Exception e) when (e is ExternalException or NotSupportedException or EntryPointNotFoundException)
        {
            return null; // a native library that was built without them
        }
    }
}
