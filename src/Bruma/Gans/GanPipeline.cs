using Bruma.Hub;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Gans;

/// <summary>What to draw.</summary>
/// <param name="Seed">Picture i is drawn from seed + i: it does not depend on the others.</param>
/// <param name="Class">Index of the class; null draws the classes in turn.</param>
/// <param name="Truncation">Noise beyond this many standard deviations is drawn anew: smaller is more typical and less varied. Null for none.</param>
public sealed record GanRequest(int Count, long Seed, long? Class = null, double? Truncation = null);

/// <summary>A trained generator with what is known about it: a model folder with <c>model_index.json</c>, <c>generator/</c> and <c>bruma.json</c>.</summary>
public sealed class GanPipeline : IDisposable
{
    /// <summary>The <c>_class_name</c> in <c>model_index.json</c>.</summary>
    public const string ClassName = "BrumaGanPipeline";

    private const int BatchSize = 64;
    private const int MostDraws = 10_000;

    public GanPipeline(GanGenerator generator, ModelDefaults defaults)
    {
        (Generator, Defaults) = (generator, defaults);
        generator.eval();
    }

    public GanGenerator Generator { get; }

    public ModelDefaults Defaults { get; }

    /// <summary>Whether the folder holds a model of this family.</summary>
    public static bool IsIn(string folder)
    {
        var index = Path.Combine(folder, "model_index.json");
        if (!File.Exists(index))
            return false;
        using var json = PythonJson.ParseFile(index);
        return json.RootElement.ValueKind == System.Text.Json.JsonValueKind.Object && json.RootElement.TryGetProperty("_class_name", out var name) && name.ValueKind == System.Text.Json.JsonValueKind.String && name.GetString() == ClassName;
    }

    public static GanPipeline Load(string folder)
    {
        if (!IsIn(folder))
            throw new BrumaException($"{folder}: no {ClassName} in its model_index.json; give the model folder of a finished bruma train gan.");
        return new GanPipeline(GanGenerator.Load(Path.Combine(folder, "generator")), ModelDefaults.Read(folder));
    }

    /// <param name="weights">The generator's weights by key; null takes its own.</param>
    public void Save(string folder, IEnumerable<KeyValuePair<string, Tensor>>? weights = null)
    {
        Generator.Save(Path.Combine(folder, "generator"), weights);
        Defaults.Write(folder);
        AtomicFile.WriteText(Path.Combine(folder, "model_index.json"), $$"""
            {
              "_class_name": "{{ClassName}}",
              "generator": ["bruma", "{{nameof(GanGenerator)}}"]
            }

            """);
    }

    /// <summary>Draws pictures from noise.</summary>
    /// <returns>[N, C, H, W] in [-1, 1].</returns>
    public Tensor Generate(GanRequest request, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        var classes = Generator.Config.Classes;
        if (request.Class is not null && classes == 0)
            throw new BrumaException("the model has no classes; leave --class out.");
        var labels = classes == 0 ? null : tensor(Enumerable.Range(0, request.Count).Select(i => request.Class ?? i % classes).ToArray());
        return Decode(Latents(request), labels, cancellationToken).MoveToOuterDisposeScope();
    }

    /// <summary>The noise of a request, [N, Z].</summary>
    public Tensor Latents(GanRequest request)
    {
        using var scope = NewDisposeScope();
        if (request.Truncation is not null and not > 0)
            throw new BrumaException(FormattableString.Invariant($"--truncation {request.Truncation}: must be greater than 0."));
        return stack([.. Enumerable.Range(0, request.Count).Select(i => Latent(request.Seed + i, request.Truncation))]).MoveToOuterDisposeScope();
    }

    /// <summary>Pictures of given noise.</summary>
    /// <param name="latents">[N, Z].</param>
    /// <param name="classes">int64 [N]; null exactly without classes.</param>
    public Tensor Decode(Tensor latents, Tensor? classes, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var parts = new List<Tensor>();
        for (var at = 0L; at < latents.shape[0]; at += BatchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(BatchSize, latents.shape[0] - at);
            parts.Add(Generator.call(latents.narrow(0, at, count), classes?.narrow(0, at, count)));
        }
        return cat(parts).MoveToOuterDisposeScope();
    }

    public void Dispose() => Generator.Dispose();

    private Tensor Latent(long seed, double? truncation)
    {
        using var random = new Generator((ulong)seed, CPU);
        var z = SeededNormal.Draw([Generator.Config.LatentWidth], random);
        for (var draw = 0; truncation is { } limit && draw < MostDraws; draw++)
        {
            var far = z.abs() > limit;
            if (!far.any().item<bool>())
                break;
            z = where(far, SeededNormal.Draw([Generator.Config.LatentWidth], random), z);
        }
        return truncation is { } bound ? z.clamp(-bound, bound) : z;
    }
}
