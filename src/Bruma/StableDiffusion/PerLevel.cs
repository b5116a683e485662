using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bruma.StableDiffusion;

/// <summary>A setting of a U-Net that configs write once for all levels or as a list, from the outer level inwards.</summary>
[CollectionBuilder(typeof(PerLevel), nameof(PerLevel.Create))]
public sealed class PerLevel<T>(IReadOnlyList<T> values, bool isList) : IEnumerable<T>
{
    public PerLevel(T value)
        : this([value], false)
    {
    }

    /// <summary>One value, or one for each level.</summary>
    public IReadOnlyList<T> Values { get; } = values;

    /// <summary>Whether the config writes a list.</summary>
    public bool IsList { get; } = isList;

    /// <summary>The value of a level.</summary>
    public T this[int level] => IsList ? Values[level] : Values[0];

    /// <summary>Whether there is a value for so many levels.</summary>
    public bool Suits(int levels) => !IsList || Values.Count == levels;

    public IEnumerator<T> GetEnumerator() => Values.GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => IsList ? $"[{string.Join(", ", Values)}]" : $"{Values[0]}";
}

/// <summary>Makes lists of settings.</summary>
public static class PerLevel
{
    public static PerLevel<T> Create<T>(ReadOnlySpan<T> values) => new(values.ToArray(), true);
}

/// <summary>Reads and writes <c>8</c> or <c>[5, 10, 20]</c>.</summary>
public abstract class PerLevelConverter<T> : JsonConverter<PerLevel<T>>
{
    public override PerLevel<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var json = JsonElement.ParseValue(ref reader);
        try
        {
            return json.ValueKind == JsonValueKind.Array ? new([.. json.EnumerateArray().Select(ReadOne)], true) : new(ReadOne(json));
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw new JsonException(e.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, PerLevel<T> value, JsonSerializerOptions options)
    {
        if (!value.IsList)
        {
            WriteOne(writer, value.Values[0]);
            return;
        }
        writer.WriteStartArray();
        foreach (var one in value.Values)
            WriteOne(writer, one);
        writer.WriteEndArray();
    }

    protected abstract T ReadOne(JsonElement json);

    protected abstract void WriteOne(Utf8JsonWriter writer, T value);
}

/// <summary>Integers per level.</summary>
public sealed class IntPerLevelConverter : PerLevelConverter<int>
{
    protected override int ReadOne(JsonElement json) => json.GetInt32();

    protected override void WriteOne(Utf8JsonWriter writer, int value) => writer.WriteNumberValue(value);
}

/// <summary>Truth values per level.</summary>
public sealed class BoolPerLevelConverter : PerLevelConverter<bool>
{
    protected override bool ReadOne(JsonElement json) => json.GetBoolean();

    protected override void WriteOne(Utf8JsonWriter writer, bool value) => writer.WriteBooleanValue(value);
}

/// <summary>Per level one integer, or one for each of its layers.</summary>
public sealed class DepthPerLevelConverter : PerLevelConverter<int[]>
{
    protected override int[] ReadOne(JsonElement json) => json.ValueKind == JsonValueKind.Array ? [.. json.EnumerateArray().Select(depth => depth.GetInt32())] : [json.GetInt32()];

    protected override void WriteOne(Utf8JsonWriter writer, int[] value)
    {
        if (value.Length == 1)
        {
            writer.WriteNumberValue(value[0]);
            return;
        }
        writer.WriteStartArray();
        foreach (var depth in value)
            writer.WriteNumberValue(depth);
        writer.WriteEndArray();
    }
}
