using System.Globalization;

namespace Bruma.Cli.Generation;

/// <summary>Wrong usage that needs no model to be seen.</summary>
internal static class GenerateChecks
{
    public static void Check(GenerateArguments arguments)
    {
        OutputFiles.Check(arguments.Output, [("--image", arguments.Pictures.Image), ("--mask", arguments.Pictures.Mask), .. arguments.Controls.Select(control => ("--control-image", (string?)control.Image))]);
        Range("--count", arguments.Count, 1, 100_000);
        Range("--steps", arguments.Steps, 1, 10_000);
        Range("--guidance-scale", arguments.GuidanceScale, 0, 1e6);
        Range("--guidance-rescale", arguments.GuidanceRescale, 0, 1);
        Range("--eta", arguments.Eta, 0, 1);
        Range("--strength", arguments.Pictures.Strength, 0, 1);
        Range("--variation-strength", arguments.Variation?.Strength, 0, 1);
        Range("--hires-scale", arguments.HighResolution?.Scale, 1, 8);
        Range("--hires-strength", arguments.HighResolution?.Strength, 0, 1);
        if (arguments.Refiner is { Start: not (> 0 and < 1) and var start })
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--refiner-start {start}: must lie between 0 and 1, so that both models have something to do."));
        if (arguments is { Refiner: not null, HighResolution: not null })
            throw new UsageException("--hires and --refiner do not go together; leave one out.");
        if (arguments.Pictures is { Mask: not null, Image: null })
            throw new UsageException("--mask needs the picture that it belongs to: give --image too.");
        if (arguments.Pictures is { Strength: not null, Image: null })
            throw new UsageException("--strength needs a picture to start from: give --image too.");
        if (arguments is { Prompt: not null, Class: not null })
            throw new UsageException("a model takes a prompt or a --class, not both; leave one out.");
    }

    private static void Range(string flag, double? value, double least, double most)
    {
        if (value is { } number && !(number >= least && number <= most))
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{flag} {number}: must be {least} to {most}."));
    }
}
