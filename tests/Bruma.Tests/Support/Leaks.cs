using static TorchSharp.torch;

namespace Bruma.Tests.Support;

internal static class Leaks
{
    /// <summary>Goes through the steps of a training; after the first ones, which make the optimizer's buffers, no step may leave a tensor behind.</summary>
    public static void NoneOver<T>(IEnumerable<T> steps, int first = 4)
    {
        var counts = steps.Select(_ => TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount).ToList();
        Assert.True(counts.Count > first + 3, $"{counts.Count} steps say little");
        Assert.True(counts[^1] <= counts[first], string.Join(", ", counts));
    }

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
