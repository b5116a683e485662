using static TorchSharp.torch;

namespace Bruma;

/// <summary>The memory behind a contiguous CPU tensor.</summary>
public static class TensorMemory
{
    /// <summary>The address of the first element: valid as long as the tensor lives.</summary>
    public static nint Address(Tensor tensor)
    {
        if (tensor.device.type != TorchSharp.DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException("the tensor must be contiguous and on the CPU", nameof(tensor));
        return NativeDataPointer(tensor.Handle);

        [System.Runtime.InteropServices.DllImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
        static extern nint NativeDataPointer(nint handle);
    }
}
