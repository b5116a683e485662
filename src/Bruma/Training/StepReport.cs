using System.Globalization;
using System.Text;

namespace Bruma.Training;

/// <summary>What one update did: a line of <c>stats.jsonl</c>.</summary>
/// <param name="Step">Updates done, this one included.</param>
/// <param name="GradientNorm">Before clipping.</param>
public sealed record StepReport(long Step, double Loss, double LearningRate, double GradientNorm)
{
    /// <summary>Further numbers by name, such as the second loss of an adversarial pair.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Extra { get; init; } = [];

    /// <summary>Every number of the step by its name in <c>stats.jsonl</c> and TensorBoard.</summary>
    public IEnumerable<KeyValuePair<string, double>> Scalars =>
        [new("loss", Loss), new("learning_rate", LearningRate), new("gradient_norm", GradientNorm), .. Extra];

    public string ToJson()
    {
        var json = new StringBuilder(FormattableString.Invariant($"{{\"step\": {Step}"));
        foreach (var (name, value) in Scalars)
            json.Append(CultureInfo.InvariantCulture, $", \"{name}\": {(double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "null")}");
        return json.Append('}').ToString();
    }
}
