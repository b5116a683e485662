using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Tests.Nn;

public sealed class RandomNumberTests
{
    [Fact]
    public void Philox_gives_the_published_numbers_and_moves_on_with_every_call()
    {
        // key and counter zero: Random123's known answers for philox4x32-10
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), new PhiloxGenerator(0).Block(0));

        var generator = new PhiloxGenerator(1);
        generator.Normals(4);
        Assert.Equal(new PhiloxGenerator(1, offset: 1).Normals(4), generator.Normals(4));
        Assert.Equal(0, new PhiloxGenerator(3).Normals(20_000).Average(), 0.03);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(32)]
    [InlineData(40)]
    public void Sixteen_bit_noise_is_the_rounded_noise_of_full_precision_as_far_as_blocks_go(int count)
    {
        using var scope = NewDisposeScope();
        using var half = new Generator(5, CPU);
        using var full = new Generator(5, CPU);
        var same = count < 16 ? count : count / 16 * 16 - (count % 16 == 0 ? 0 : 16 - count % 16);
        var drawn = SeededNormal.Draw([count], half, float16);
        Assert.Equal([count], drawn.shape);
        Assert.True(drawn.narrow(0, 0, same).eq(randn([count], generator: full).narrow(0, 0, same).to(float16)).all().item<bool>());
    }
}
