using System.Globalization;

namespace Bruma.Diffusion;

/// <summary>Throws for config values that Bruma does not implement, naming file, key and value.</summary>
internal readonly record struct NetworkConfigCheck(string Origin)
{
    /// <exception cref="BrumaException">The value is none of the implemented ones.</exception>
    public void OneOf<T>(string key, T value, params T[] implemented)
    {
        if (!implemented.Contains(value))
            throw new BrumaException($"{Origin}: \"{key}\" is {Spelled(value)}, which Bruma does not implement; it knows {string.Join(", ", implemented.Select(Spelled))}.");
    }

    /// <exception cref="BrumaException">The condition does not hold.</exception>
    public void Require(bool condition, string key, object? value, string expected)
    {
        if (!condition)
            throw new BrumaException($"{Origin}: \"{key}\" is {Spelled(value)}; expected {expected}.");
    }

    private static string Spelled<T>(T value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };
}
