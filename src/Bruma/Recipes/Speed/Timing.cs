using System.Diagnostics;
using static TorchSharp.torch;

namespace Bruma.Recipes.Speed;

/// <summary>Times a piece of work: warm, then repeated for a while; the median counts, since machines are shared.</summary>
public static class Timing
{
    /// <returns>Seconds of one call.</returns>
    public static double Median(Action work, double seconds)
    {
        Once(work);
        var times = Repeat(work, seconds, 3);
        times.Sort();
        return times[times.Count / 2];
    }

    /// <summary>The shortest of some calls after a warm one: what the machine can do when nothing disturbs it.</summary>
    /// <returns>Seconds of one call.</returns>
    public static double Best(Action work, double seconds)
    {
        Once(work);
        return Repeat(work, seconds, 1).Min();
    }

    private static List<double> Repeat(Action work, double seconds, int atLeast)
    {
        var times = new List<double>();
        for (var watch = Stopwatch.StartNew(); times.Count < atLeast || watch.Elapsed.TotalSeconds < seconds;)
            times.Add(Once(work));
        return times;
    }

    private static double Once(Action work)
    {
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        work();
        return watch.Elapsed.TotalSeconds;
    }
}
