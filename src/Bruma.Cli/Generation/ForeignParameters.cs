using System.Globalization;
using Bruma.StableDiffusion;
using Bruma.Text;

namespace Bruma.Cli.Generation;

/// <summary>What pictures of A1111 and stable-diffusion.cpp say, as arguments: close to their picture, not the same pixels.</summary>
internal static class ForeignParameters
{
    public static GenerateArguments Read(ParametersText text, string picture, string? model)
    {
        if (text["Steps"] is null || text["Seed"] is null)
            throw new BrumaException($"{picture}: says neither steps nor seed, so it cannot be drawn again.");
        var size = (text["Size"] ?? "").Split('x');
        var sampler = string.Join(' ', new[] { text["Sampler"], text["Schedule type"] is "Automatic" ? null : text["Schedule type"] }.OfType<string>());
        return new GenerateArguments(text.Prompt, null, model ?? throw new BrumaException($"{picture}: was not written by Bruma and does not say where its model ({text["Model"] ?? "unnamed"}) lies; give it with --model."))
        {
            NegativePrompt = text.NegativePrompt,
            Steps = (int?)Number(text["Steps"]),
            GuidanceScale = Number(text["CFG scale"]),
            Seed = (long?)Number(text["Seed"]) ?? 0,
            Width = size.Length == 2 ? (int?)Number(size[0]) : null,
            Height = size.Length == 2 ? (int?)Number(size[1]) : null,
            Scheduler = sampler.Length == 0 ? null : sampler,
            ClipSkip = Math.Max(0, (int)(Number(text["Clip skip"]) ?? 1) - 1),
            Random = text["RNG"]?.Equals("CPU", StringComparison.OrdinalIgnoreCase) == true ? RandomSource.Cpu : RandomSource.Cuda,
            Variation = Number(text["Variation seed"]) is { } seed && Number(text["Variation seed strength"]) is { } strength ? new Variation((long)seed, strength) : null,
            Eta = Number(text["Eta"]),
            Syntax = PromptSyntax.A1111,
            Precision = Native.Precision(null),
        };
    }

    private static double? Number(string? text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
}
