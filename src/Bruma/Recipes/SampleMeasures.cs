using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bruma.Recipes;

/// <summary>One measurement of samples against real pictures, in the features of a named network.</summary>
/// <param name="Network">Numbers of different networks are not comparable.</param>
/// <param name="Count">Samples, and as many real pictures.</param>
/// <param name="Frechet">Fréchet distance.</param>
/// <param name="Kernel">Unbiased squared MMD, polynomial kernel; not multiplied.</param>
/// <param name="Floor">The Fréchet distance of other real pictures at the same count.</param>
public sealed record SampleMeasures(
    long Step, string Network, int Count, double Frechet, double Kernel, double Precision, double Recall, double Density, double Coverage, double Floor)
{
    public static readonly IReadOnlyList<string> Headers = ["step", "FD", "KID x 1000", "precision", "recall", "density", "coverage"];

    [JsonIgnore]
    public IReadOnlyList<string> Cells => [Text(Step, "0"), Text(Frechet, "0.00"), Text(1000 * Kernel, "0.0"), Text(Precision, "0.00"), Text(Recall, "0.00"), Text(Density, "0.00"), Text(Coverage, "0.00")];

    [JsonIgnore]
    public string Explanation => FormattableString.Invariant($"FD-{Network} and KID-{Network} at {Count} samples against {Count} real pictures; other real pictures at the same count have FD-{Network} {Floor:0.00}. Numbers in the features of another network are not comparable, and none of these is a FID.");

    public string ToJson() => JsonSerializer.Serialize(this, SampleMeasuresJson.Default.SampleMeasures);

    public static SampleMeasures? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, SampleMeasuresJson.Default.SampleMeasures);
        }
        catch (JsonException)
        {
            return null; // the line that a killed run was writing
        }
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SampleMeasures))]
internal sealed partial class SampleMeasuresJson : JsonSerializerContext;
