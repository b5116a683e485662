using static TorchSharp.torch;

namespace Bruma.Tests.Support;

internal static class Leaks
{
    /// <summary>Runs the work twice within a scope each; the second time must leave as many tensors alive as the first.</summary>
    public static void None(Action work)
    {
        var counts = new List<long>();
        for (var i = 0; i < 3; i++)
        {
            using (NewDisposeScope())
            using (no_grad())
                work();
            counts.Add(TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
        Assert.Equal(counts[1], counts[2]);
    }
}
