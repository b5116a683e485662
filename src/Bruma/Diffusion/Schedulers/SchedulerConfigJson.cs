using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bruma.Hub;

namespace Bruma.Diffusion.Schedulers;

public sealed partial record SchedulerConfig
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly string[] PythonWords = ["-Infinity", "Infinity", "NaN"];

    /// <summary>What the file said, the keys of other classes included: another class may know them.</summary>
    private JsonObject Named { get; init; } = [];

    /// <summary>The class with its own defaults.</summary>
    /// <exception cref="BrumaException">Bruma has no such class.</exception>
    public static SchedulerConfig Default(string className) => Read([], className, className);

    /// <summary>Reads a <c>scheduler_config.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="className">The class to read it as; null for the class that the file names.</param>
    /// <exception cref="BrumaException">Missing, malformed, or asks for something that Bruma does not have.</exception>
    public static SchedulerConfig Load(string path, string? className = null)
    {
        using var document = PythonJson.ParseFile(path);
        return Read(document.RootElement, className, path);
    }

    /// <summary>Reads a JSON object as a class: keys that the class does not know are set aside, missing ones get its default.</summary>
    /// <param name="json">The object, numbers as <see cref="PythonJson"/> gives them.</param>
    /// <param name="className">The class to read it as; null for its <c>_class_name</c>.</param>
    /// <param name="origin">The file, for messages.</param>
    public static SchedulerConfig Read(JsonElement json, string? className = null, string origin = "scheduler configuration") =>
        Read(JsonObject.Create(json)!, className, origin);

    /// <summary>The same settings for another class, which keeps what was named and known there and takes its own defaults for the rest.</summary>
    public SchedulerConfig As(string className) => className == ClassName ? this : Read(Changed(), className, ClassName);

    /// <summary>The same with the keys of a JSON object on top.</summary>
    public SchedulerConfig Overridden(JsonElement changes)
    {
        var changed = Changed();
        foreach (var change in changes.EnumerateObject())
            changed[change.Name] = JsonSerializer.SerializeToNode(change.Value);
        return Read(changed, ClassName, ClassName);
    }

    /// <summary>The keys that the class knows, with its name, in alphabetical order.</summary>
    public JsonObject ToJson()
    {
        var all = JsonSerializer.SerializeToNode(this, SchedulerJson.Default.SchedulerConfig)!.AsObject();
        var known = all.Where(pair => pair.Key == ClassNameKey || Knows(pair.Key)).OrderBy(pair => pair.Key, StringComparer.Ordinal);
        return [.. known.Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone()))];
    }

    /// <summary>Writes <c>scheduler_config.json</c> as diffusers reads it.</summary>
    public void Save(string path) => AtomicFile.Write(path, stream =>
    {
        var text = ToJson().ToJsonString(Indented);
        foreach (var word in PythonWords)
            text = text.Replace($": \"{word}\"", $": {word}", StringComparison.Ordinal);
        stream.Write(Encoding.UTF8.GetBytes(text + "\n"));
    });

    internal bool Knows(string key) => SchedulerDefaults.Of(ClassName).ContainsKey(key);

    private const string ClassNameKey = "_class_name";

    /// <summary>What was named, and what differs from the class's defaults.</summary>
    private JsonObject Changed()
    {
        var named = Named.DeepClone().AsObject();
        var own = SchedulerDefaults.Of(ClassName);
        foreach (var (key, value) in ToJson())
            if (key != ClassNameKey && (named.ContainsKey(key) || !JsonNode.DeepEquals(value, own[key])))
                named[key] = value?.DeepClone();
        return named;
    }

    private static SchedulerConfig Read(JsonObject named, string? className, string origin)
    {
        className ??= named[ClassNameKey]?.GetValue<string>()
            ?? throw new BrumaException($"{origin}: has no _class_name; expected the name of a scheduler such as DDIMScheduler.");
        var merged = SchedulerDefaults.Of(className).DeepClone().AsObject();
        foreach (var (key, value) in named)
            if (merged.TryGetPropertyValue(key, out var standard) && (value is not null || standard is null))
                merged[key] = SchedulerDefaults.Translated(className, key, value?.DeepClone());
        merged[ClassNameKey] = className;
        if (!named.ContainsKey("final_sigmas_type") && merged["algorithm_type"]?.ToString() is "dpmsolver" or "sde-dpmsolver")
            merged["final_sigmas_type"] = "sigma_min"; // older than the key: these algorithms cannot end at 0
        try
        {
            return merged.Deserialize(SchedulerJson.Default.SchedulerConfig)! with { Named = named.DeepClone().AsObject() };
        }
        catch (JsonException e)
        {
            var key = e.Path?.TrimStart('$', '.') ?? "";
            throw new BrumaException($"{origin}: {key} is {merged[key]?.ToJsonString() ?? "malformed"}, which {className} does not implement; correct or remove the key.", e);
        }
    }
}
