using Bruma.Recipes.Speed;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Recipes;

public sealed class AdaptationSpeedTests
{
    private static readonly UNet2DConditionConfig Tiny = new(
        8, DownBlockTypes: ["CrossAttnDownBlock2D", "DownBlock2D"], UpBlockTypes: ["UpBlock2D", "CrossAttnUpBlock2D"], BlockOutChannels: [8, 8], LayersPerBlock: [1, 1],
        NormNumGroups: 4, CrossAttentionDim: new(8), AttentionHeadDim: new(2));

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void Timed_steps_leave_no_tensor_behind(int rank, bool isCheckpointed)
    {
        using var speed = new AdaptationSpeed(new AdaptedNetwork("tiny", Tiny, rank, BatchSize: 2, Side: 8, Tokens: 4, GigaflopsPerPicture: 1, IsCheckpointed: isCheckpointed), float32);
        Leaks.NoneOver(Enumerable.Range(0, 9).Select(step =>
        {
            speed.Step();
            return step;
        }));
    }
}
