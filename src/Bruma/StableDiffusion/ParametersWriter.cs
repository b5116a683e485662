using System.Globalization;
using Bruma.Diffusion.Schedulers;
using Bruma.Text;

namespace Bruma.StableDiffusion;

/// <summary>Records as the text that other programs read from pictures.</summary>
public static class ParametersWriter
{
    /// <summary>PNG keyword of the text.</summary>
    public const string Keyword = "parameters";

    /// <summary>Name of the value that holds Bruma's own record.</summary>
    public const string RecordKey = "Bruma";

    private const int ShortHash = 10;

    /// <summary>One text by its keyword. No time in it, so that equal requests give equal files.</summary>
    public static IReadOnlyDictionary<string, string> Write(GenerationRecord record) => new Dictionary<string, string>(StringComparer.Ordinal) { [Keyword] = Text(record).ToString() };

    public static ParametersText Text(GenerationRecord record)
    {
        var scheduler = SchedulerConfig.Read(System.Text.Json.JsonSerializer.SerializeToElement(record.Scheduler));
        var (sampler, schedule) = SamplerNames.Of(scheduler);
        var values = new (string Name, string? Value)[]
        {
            ("Steps", Number(record.Steps)),
            ("Sampler", sampler),
            ("Schedule type", schedule),
            ("CFG scale", Number(record.GuidanceScale)),
            ("Image CFG scale", record.Start is { Mask: null, ImageGuidanceScale: not 1.5 and var image } ? Number(image) : null),
            ("Seed", Number(record.Seed)),
            ("Size", $"{record.Width}x{record.Height}"),
            ("Model hash", record.Model.Sha256?[..ShortHash]),
            ("Model", Path.GetFileNameWithoutExtension(record.Model.Name.TrimEnd('/'))),
            ("VAE hash", record.Autoencoder?.Sha256?[..ShortHash]),
            ("VAE", record.Autoencoder is { } vae ? Path.GetFileName(vae.Name.TrimEnd('/')) : null),
            ("Variation seed", record.Variation is { } variation ? Number(variation.Seed) : null),
            ("Variation seed strength", record.Variation is { } other ? Number(other.Strength) : null),
            ("Denoising strength", record.Start?.Strength is { } strength ? Number(strength) : record.HighResolution is { } second ? Number(second.Strength) : null),
            ("Clip skip", record.ClipSkip is > 0 and var skip ? Number(skip + 1) : null), // A1111 counts the layer that is used
            ("RNG", record.Random == RandomSource.Cpu ? "CPU" : null),
            ("Eta", record.Eta is { } eta ? Number(eta) : null),
            ("Hires upscale", record.HighResolution is { } larger ? Number(larger.Scale) : null),
            ("Refiner", record.Refiner is { } refiner ? Path.GetFileNameWithoutExtension(refiner.Name.TrimEnd('/')) + (refiner.Sha256 is { } sum ? $" [{sum[..ShortHash]}]" : "") : null),
            ("Refiner switch at", record is { Refiner: not null, DenoisingEnd: { } handOver } ? Number(handOver) : null),
            ("Lora hashes", record.Adapters is { } adapters ? string.Join(", ", adapters.Select(adapter => $"{Path.GetFileNameWithoutExtension(adapter.Name)}: {adapter.Sha256?[..ShortHash]}")) : null),
            ("Version", $"Bruma {record.Version}"),
            (RecordKey, record.ToJson()),
        };
        return new ParametersText(record.Prompt, record.NegativePrompt ?? "", [.. values.Where(pair => pair.Value is not null).Select(pair => KeyValuePair.Create(pair.Name, pair.Value!))]);
    }

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
