using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Text;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma info</c>: how a picture was made.</summary>
internal static class InfoCommand
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var picture = new Argument<string>("picture") { Description = "PNG, JPEG or WebP written by Bruma, A1111, stable-diffusion.cpp or a program that writes as they do." };
        var json = new Option<bool>("--json") { Description = "As JSON: prompt, negative_prompt, values, record." };
        var command = new Command("info", "Show the prompt and settings that a picture carries. Example: bruma info output.png") { picture, json };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(picture), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string file, bool asJson)
    {
        var texts = PictureText.Read(file);
        if (!texts.TryGetValue(ParametersWriter.Keyword, out var text))
            throw new BrumaException($"{file}: carries no parameters{(texts.Count > 0 ? $" (it has the texts {string.Join(", ", texts.Keys)})" : "")}; the program that wrote it left none, or they were stripped.");
        var parameters = ParametersText.Parse(text);
        if (asJson)
            WriteJson(parameters);
        else
            WriteText(parameters);
        return 0;
    }

    private static void WriteText(ParametersText parameters)
    {
        Console.WriteLine(Printable(parameters.Prompt));
        if (parameters.NegativePrompt.Length > 0)
            Console.WriteLine($"Negative prompt: {Printable(parameters.NegativePrompt)}");
        foreach (var (name, value) in parameters.Values)
            Console.WriteLine(name == ParametersWriter.RecordKey ? $"{name}:\n{Indented(value)}" : $"{Printable(name)}: {Printable(value)}");
    }

    private static void WriteJson(ParametersText parameters)
    {
        var values = new JsonObject();
        foreach (var (name, value) in parameters.Values)
            if (name != ParametersWriter.RecordKey)
                values[name] = value;
        Console.WriteLine(new JsonObject
        {
            ["prompt"] = parameters.Prompt,
            ["negative_prompt"] = parameters.NegativePrompt,
            ["values"] = values,
            ["record"] = Parsed(parameters[ParametersWriter.RecordKey]),
        }.ToJsonString(Readable));
    }

    private static string Indented(string json) => Parsed(json)?.ToJsonString(Readable) ?? Printable(json);

    private static JsonNode? Parsed(string? json)
    {
        try
        {
            return json is null ? null : JsonNode.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Texts come from files of others: control characters must not reach the terminal.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) && c != '\n' ? '\uFFFD' : c));
}
