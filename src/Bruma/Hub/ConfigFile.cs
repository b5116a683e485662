using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Bruma.Hub;

/// <summary>How strict the reading of a JSON configuration is.</summary>
public enum ConfigKind
{
    /// <summary>A network: a key that the record lacks is an error, since it may change the numbers. Bookkeeping keys and null values are dropped.</summary>
    Model,

    /// <summary>A scheduler or pipeline: keys that the record lacks are dropped, as the reference does.</summary>
    Lenient,
}

/// <summary>A config record that knows which values Bruma implements.</summary>
public interface ICheckedConfig
{
    /// <summary>Calls <see cref="ConfigCheck"/> for every key of which only some values are implemented.</summary>
    void Check(ConfigCheck check);
}

/// <summary>Throws for values that Bruma does not implement, naming file, key and value.</summary>
public readonly record struct ConfigCheck(string Origin)
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
            throw new BrumaException($"{Origin}: \"{key}\" is {Spelled(value)}, which Bruma does not implement; expected {expected}.");
    }

    private static string Spelled<T>(T value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value}"),
    };
}

/// <summary>Reads JSON configurations into positional records; keys that the file lacks take the record's defaults.</summary>
public static class ConfigFile
{
    private static readonly HashSet<string> Bookkeeping = new(StringComparer.Ordinal)
    {
        "architectures", "transformers_version", "torch_dtype", "dtype", "model_type", "auto_map", "library_name", "license", "tags",
    };

    /// <param name="path">For example <c>unet/config.json</c>. Python's NaN and Infinity are understood.</param>
    /// <param name="type">From the family's source-generated context, with <c>AllowNamedFloatingPointLiterals</c> where such values may occur.</param>
    /// <param name="ignored">Further keys without effect on what Bruma computes, such as the initialisation's.</param>
    /// <exception cref="BrumaException">The file is missing or malformed, or asks for something that Bruma does not implement.</exception>
    public static T Read<T>(string path, JsonTypeInfo<T> type, ConfigKind kind, params string[] ignored)
        where T : class
    {
        using var json = PythonJson.ParseFile(path);
        return Read(path, json.RootElement, type, kind, ignored);
    }

    /// <summary>The same for an object within another file.</summary>
    /// <param name="origin">The file's name, for messages.</param>
    public static T Read<T>(string origin, JsonElement json, JsonTypeInfo<T> type, ConfigKind kind, params string[] ignored)
        where T : class
    {
        if (kind == ConfigKind.Model)
            RefuseUnknown(origin, json, [.. type.Properties.Select(property => property.Name), .. ignored]);
        try
        {
            var config = json.Deserialize(type) ?? throw new BrumaException($"{origin}: is null where an object was expected.");
            (config as ICheckedConfig)?.Check(new ConfigCheck(origin));
            return config;
        }
        catch (JsonException e)
        {
            throw new BrumaException($"{origin}: {Describe(json, e)}.", e);
        }
    }

    private static void RefuseUnknown(string origin, JsonElement json, HashSet<string> known)
    {
        foreach (var property in json.EnumerateObject())
            if (!known.Contains(property.Name) && !property.Name.StartsWith('_') && !Bookkeeping.Contains(property.Name) && property.Value.ValueKind != JsonValueKind.Null)
                throw new BrumaException($"{origin}: asks for \"{property.Name}\": {Shortened(property.Value.GetRawText())}, which Bruma does not know; remove the key if it has no effect.");
    }

    private static string Describe(JsonElement json, JsonException e)
    {
        var key = e.Path?.TrimStart('$', '.').Split('.', '[')[0];
        return !string.IsNullOrEmpty(key) && json.TryGetProperty(key, out var value)
            ? $"\"{key}\" is {Shortened(value.GetRawText())}, which Bruma does not understand there"
            : e.Message.Split('\n')[0].TrimEnd('.');
    }

    private static string Shortened(string text) => text.Length <= 80 ? text : $"{text[..80]}...";
}
