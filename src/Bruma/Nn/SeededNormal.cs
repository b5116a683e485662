using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Standard normal numbers that equal PyTorch's for the same CPU seed, in every floating type.</summary>
public static class SeededNormal
{
    private const int Block = 16; // torch transforms uniform numbers in blocks of this size

    /// <summary>Draws in fp32 for the 16-bit types, as current PyTorch does; libtorch 2.10 itself would draw 16-bit uniform numbers and give other values.</summary>
    /// <returns>A tensor of the given shape and type on the CPU.</returns>
    public static Tensor Draw(long[] shape, Generator generator, ScalarType dtype = ScalarType.Float32)
    {
        if (dtype is not (ScalarType.Float16 or ScalarType.BFloat16))
            return randn(shape, dtype, generator: generator);

        using var scope = NewDisposeScope();
        var count = shape.Aggregate(1L, (product, size) => product * size);
        var whole = count / Block * Block;
        if (whole == 0 || whole == count)
            return randn(shape, float32, generator: generator).to(dtype).MoveToOuterDisposeScope();
        var values = randn([whole], float32, generator: generator);
        var last = randn([Block], float32, generator: generator); // a block of its own for the last 16 values
        return cat([values.narrow(0, 0, count - Block), last]).reshape(shape).to(dtype).MoveToOuterDisposeScope();
    }
}
