using System.Diagnostics;
using Bruma.StableDiffusion;

namespace Bruma.Cli.Generation;

/// <summary>One line on the terminal that follows the steps; nothing where the output is no terminal.</summary>
internal sealed class ProgressLine : IProgress<GenerationProgress>, IDisposable
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private TimeSpan _first;
    private int _steps;
    private int _width;

    /// <summary>Steps per second after the first, which also warms up; 0 before there are two.</summary>
    public double Rate => _steps > 1 ? (_steps - 1) / Math.Max((_watch.Elapsed - _first).TotalSeconds, 1e-9) : 0;

    public void Report(GenerationProgress value)
    {
        if (_steps++ == 0)
            _first = _watch.Elapsed;
        if (!_isTerminal)
            return;
        var left = (value.Pictures - value.Picture) * value.Steps - value.Step;
        var text = FormattableString.Invariant($"{(value.Pictures > 1 ? $"picture {value.Picture + 1} of {value.Pictures}, " : "")}step {value.Step} of {value.Steps}{(Rate > 0 ? $", {Rate:0.00} steps/s, {Time(left / Rate)} left" : "")}");
        Console.Error.Write($"\r{text.PadRight(_width)}");
        _width = text.Length;
    }

    public void Dispose()
    {
        if (_isTerminal && _width > 0)
            Console.Error.Write($"\r{new string(' ', _width)}\r");
    }

    private static string Time(double seconds) => seconds < 60 ? FormattableString.Invariant($"{seconds:0} s") : TimeSpan.FromSeconds(Math.Min(seconds, 1e7)).ToString(seconds < 3600 ? @"m\:ss" : @"d\.hh\:mm\:ss", System.Globalization.CultureInfo.InvariantCulture);
}
