using System.Globalization;
using System.Text.RegularExpressions;

namespace Bruma.Text;

/// <summary>An adapter that a prompt asks for.</summary>
public readonly record struct PromptAdapter(string Name, double Weight);

/// <summary>Adapters within prompts: <c>&lt;lora:name:weight&gt;</c>.</summary>
public static partial class PromptAdapters
{
    /// <summary>The prompt without the adapters, and these in order; a missing weight is 1.</summary>
    /// <exception cref="BrumaException">A tag of another kind, or a weight that is no number.</exception>
    public static (string Prompt, IReadOnlyList<PromptAdapter> Adapters) Extract(string prompt)
    {
        var adapters = new List<PromptAdapter>();
        var rest = Tag().Replace(prompt, match =>
        {
            adapters.Add(Read(match));
            return "";
        });
        return (rest, adapters);
    }

    private static PromptAdapter Read(Match match)
    {
        if (!match.Groups[1].Value.Equals("lora", StringComparison.OrdinalIgnoreCase))
            throw new BrumaException($"the prompt asks for {match.Value}, which Bruma does not have; adapters are written <lora:name:weight>.");
        var parts = match.Groups[2].Value.Split(':', StringSplitOptions.TrimEntries);
        var weights = parts[1..].Select(text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : throw new BrumaException($"the prompt's {match.Value} has the weight \"{text}\", which is no number; write <lora:{parts[0]}:0.8>.")).Distinct().ToList();
        return weights.Count <= 1
            ? new PromptAdapter(parts[0], weights.Count == 0 ? 1 : weights[0])
            : throw new BrumaException($"the prompt's {match.Value} has different weights for text encoder and network, which Bruma does not have; write one weight.");
    }

    [GeneratedRegex("<(lora|lyco|hypernet):([^<>]+)>", RegexOptions.IgnoreCase)]
    private static partial Regex Tag();
}
