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
        return Middle(Repeat(work, seconds, 3));
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

    /// <summary>The median.</summary>
    internal static double Middle(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    internal static double Once(Action work)
    {
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        work();
        return watch.Elapsed.TotalSeconds;
    }
}
