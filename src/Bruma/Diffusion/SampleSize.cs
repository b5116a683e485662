using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bruma.Diffusion;

/// <summary>Height and width of a network's samples; configs write one number for squares.</summary>
[JsonConverter(typeof(SampleSizeConverter))]
public readonly record struct SampleSize(int Height, int Width)
{
    public static implicit operator SampleSize(int side) => new(side, side);

    public static SampleSize FromInt32(int side) => side;
}

/// <summary>Reads and writes <c>28</c> or <c>[28, 32]</c>.</summary>
public sealed class SampleSizeConverter : JsonConverter<SampleSize>
{
    public override SampleSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number)
            return reader.GetInt32();
        var sides = new List<int>();
        if (reader.TokenType == JsonTokenType.StartArray)
            while (reader.Read() && reader.TokenType == JsonTokenType.Number)
                sides.Add(reader.GetInt32());
        return sides.Count == 2 && reader.TokenType == JsonTokenType.EndArray ? new SampleSize(sides[0], sides[1]) : throw new JsonException("expected a number or two");
    }

    public override void Write(Utf8JsonWriter writer, SampleSize value, JsonSerializerOptions options)
    {
        if (value.Height == value.Width)
        {
            writer.WriteNumberValue(value.Height);
            return;
        }
        writer.WriteStartArray();
        writer.WriteNumberValue(value.Height);
        writer.WriteNumberValue(value.Width);
        writer.WriteEndArray();
    }
}
