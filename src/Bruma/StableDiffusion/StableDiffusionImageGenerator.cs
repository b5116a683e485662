using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using Microsoft.Extensions.AI;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>A pipeline behind the interface that .NET programs share (Microsoft.Extensions.AI).</summary>
/// <remarks>
/// An original picture makes it an edit: image to image, with a mask inpainting. <c>AdditionalProperties</c> may hold <c>seed</c>, <c>negative_prompt</c>,
/// <c>num_inference_steps</c>, <c>guidance_scale</c>, <c>strength</c>, <c>scheduler</c>, <c>loras</c> (path to weight, or a list of paths) and <c>mask</c>
/// (a picture's bytes, white where to draw anew). Calls are served one after the other. The pipeline is disposed with the generator.
/// </remarks>
[Experimental("MEAI001")]
public sealed class StableDiffusionImageGenerator(StableDiffusionPipeline pipeline) : IImageGenerator
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ImageGeneratorMetadata _metadata = new("bruma", null, pipeline.Identity.Name);

    /// <exception cref="BrumaException">The request does not fit the model.</exception>
    public async Task<ImageGenerationResponse> GenerateAsync(ImageGenerationRequest request, ImageGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (options?.MediaType is { } type && type != "image/png")
            throw new BrumaException($"MediaType is {type}; pictures are made as image/png.");
        var originals = await Task.WhenAll((request.OriginalImages ?? []).Select(content => Bytes(content, cancellationToken)));
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await Task.Factory.StartNew(() => Generate(request.Prompt ?? "", originals, options, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            _turn.Release();
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is not null
        ? null
        : serviceType == typeof(ImageGeneratorMetadata) ? _metadata
        : serviceType.IsInstanceOfType(this) ? this
        : serviceType.IsInstanceOfType(pipeline) ? pipeline : null;

    public void Dispose()
    {
        pipeline.Dispose();
        _turn.Dispose();
    }

    private ImageGenerationResponse Generate(string prompt, byte[][] originals, ImageGenerationOptions? options, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var asked = new Properties(options?.AdditionalProperties);
        var mask = asked.Bytes("mask");
        var request = new ImageRequest
        {
            Count = options?.Count ?? 1,
            Width = options?.ImageSize?.Width,
            Height = options?.ImageSize?.Height,
            Seed = (long)(asked.Number("seed") ?? Random.Shared.Next()),
            NegativePrompt = asked.Text("negative_prompt"),
            Steps = (int?)asked.Number("num_inference_steps"),
            GuidanceScale = asked.Number("guidance_scale"),
            Scheduler = asked.Text("scheduler") is { } name ? SchedulerNames.Find(name, pipeline.Scheduler) : null,
            Start = originals.Length == 0 ? null : new StartImage(ImageFile.Decode(originals[0], "the original image"), asked.Number("strength"), mask is null ? null : MaskImage.Gray(ImageFile.Decode(mask, "the mask"))),
        };
        var adapters = asked.Adapters();
        if (adapters.Count > 0)
            pipeline.AddAdapters(adapters);
        try
        {
            var images = pipeline.Generate(prompt, request, cancellationToken: cancellationToken).ToList();
            return new ImageGenerationResponse([.. images.Select(image => new DataContent(image.ToPng(), "image/png"))]) { RawRepresentation = images };
        }
        finally
        {
            if (adapters.Count > 0)
                pipeline.RemoveAdapters();
        }
    }

    private static async Task<byte[]> Bytes(AIContent content, CancellationToken cancellationToken) => content switch
    {
        DataContent data => data.Data.ToArray(),
        UriContent { Uri.IsFile: true } file => await File.ReadAllBytesAsync(file.Uri.LocalPath, cancellationToken),
        _ => throw new BrumaException($"the original image is a {content.GetType().Name}; give its bytes as DataContent."),
    };

    /// <summary>Values as programs and JSON write them.</summary>
    private sealed class Properties(AdditionalPropertiesDictionary? values)
    {
        public string? Text(string key) => Value(key) switch
        {
            null => null,
            JsonElement { ValueKind: JsonValueKind.Null } => null,
            JsonElement { ValueKind: JsonValueKind.String } json => json.GetString(),
            var value => Convert.ToString(value, CultureInfo.InvariantCulture),
        };

        public double? Number(string key) => Text(key) is not { Length: > 0 } text ? null
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
            : throw new BrumaException($"{key} is \"{text}\"; it must be a number.");

        public byte[]? Bytes(string key) => Value(key) switch
        {
            null => null,
            byte[] bytes => bytes,
            DataContent data => data.Data.ToArray(),
            var value when Text(key) is { } text => FromBase64(key, text[(text.IndexOf(',', StringComparison.Ordinal) + 1)..], value),
            _ => null,
        };

        public IReadOnlyList<NamedFile> Adapters() => Value("loras") switch
        {
            null => [],
            string path => [new NamedFile(path, path)],
            IEnumerable<KeyValuePair<string, double>> weights => [.. weights.Select(pair => new NamedFile(pair.Key, pair.Key, Weight: pair.Value))],
            IEnumerable<string> paths => [.. paths.Select(path => new NamedFile(path, path))],
            JsonElement { ValueKind: JsonValueKind.Object } json => [.. json.EnumerateObject().Select(pair => new NamedFile(pair.Name, pair.Name, Weight: pair.Value.GetDouble()))],
            JsonElement { ValueKind: JsonValueKind.Array } json => [.. json.EnumerateArray().Select(path => new NamedFile(path.GetString()!, path.GetString()))],
            var other => throw new BrumaException($"loras is a {other.GetType().Name}; give a dictionary of paths and weights or a list of paths."),
        };

        private object? Value(string key) => values is not null && values.TryGetValue(key, out var value) ? value : null;

        private static byte[] FromBase64(string key, string text, object value)
        {
            try
            {
                return Convert.FromBase64String(text);
            }
            catch (FormatException e)
            {
                throw new BrumaException($"{key} is a {value.GetType().Name} that is no base64; give the picture's bytes.", e);
            }
        }
    }
}
