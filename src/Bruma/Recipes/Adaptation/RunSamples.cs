using Bruma.Data;
using Bruma.Imaging;
using Bruma.StableDiffusion;
using Bruma.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>What a sample is drawn after.</summary>
/// <param name="Picture">What a control network sees, uint8 [1 or 3, S, S]; null without one.</param>
internal sealed record SampleWish(string Prompt, Tensor? Picture);

/// <summary>Pictures of a finished run and of its base, each from its own seed, as files.</summary>
internal sealed class RunSamples(AdaptationOptions options, string model)
{
    private const int Steps = 25; // where the model names none
    private const int BatchPixels = 16 * 64 * 64; // more at once takes memory and saves no time

    /// <summary>What was drawn with, for people.</summary>
    public string Settings { get; private set; } = "";

    /// <summary>Draws what is not there yet.</summary>
    /// <param name="adapted">Whether with what the run trained.</param>
    public ImageSource Draw(string folder, bool adapted, IReadOnlyList<SampleWish> wishes, long seed, Action<int> done, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var pipeline = Open(adapted);
        using var control = adapted && wishes[0].Picture is not null ? ControlNetModel.Load(model) : null;
        control?.to(pipeline.Network.Precision);
        var request = Request(pipeline);
        Settings = new StableDiffusionSamples(pipeline, request).Settings;
        var origin = FormattableString.Invariant($"{SampleModels.HashOf(UnpackedCheckpoint.FolderOf(options.Model))} {(adapted ? SampleModels.HashOf(model) : "")} {seed} {options.Resolution} {options.Data}\n{string.Join('\n', wishes.Select(wish => wish.Prompt))}");
        var size = control is null ? Math.Clamp(BatchPixels / (options.Resolution * options.Resolution), 1, 16) : 1;
        DrawnSamples.Fill(folder, origin, (wishes.Count, size), batch =>
        {
            var asked = control is null ? request : request with { Controls = [new ControlInput(control, wishes[batch.First].Picture!)] };
            return new StableDiffusionSamples(pipeline, asked).Draw(batch.First, batch.Count, seed, [.. wishes.Skip(batch.First).Take(batch.Count).Select(wish => wish.Prompt)]);
        }, done, cancellation);
        return new ImageFolder(folder);
    }

    /// <summary>What the autoencoder makes of photos: the best that any model of its latents can do.</summary>
    /// <param name="photos">uint8 [3, S, S] each.</param>
    public ImageSource Reconstruct(string folder, IEnumerable<Tensor> photos)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var autoencoder = AutoencoderKl.Load(new ModelSources(UnpackedCheckpoint.FolderOf(options.Model)).PathOf("vae"));
        foreach (var (i, photo) in photos.Index())
        {
            using var one = NewDisposeScope();
            PngFile.Write(DrawnSamples.PathOf(folder, i), ImageTensor.ToBytes(autoencoder.call(ImageTensor.FromBytes(photo).unsqueeze(0)))[0]);
        }
        return new ImageFolder(folder);
    }

    /// <summary>At the size that was trained, with the steps of the model.</summary>
    public ImageRequest Request(StableDiffusionPipeline pipeline) => new() { Width = options.Resolution, Height = options.Resolution, Steps = pipeline.Defaults.Steps ?? Steps };

    /// <summary>The base, or the base with what the run trained.</summary>
    public StableDiffusionPipeline Open(bool adapted)
    {
        var isWhole = File.Exists(Path.Combine(model, "model_index.json"));
        var pipeline = StableDiffusionPipeline.Load(adapted && isWhole ? model : options.Model, new PipelineOptions(ComputePrecision.TypeOf(ComputePrecision.Default)));
        if (!adapted)
            return pipeline;
        var (lora, word) = (Path.Combine(model, "pytorch_lora_weights.safetensors"), Path.Combine(model, "learned_embeds.safetensors"));
        if (File.Exists(lora))
            pipeline.AddAdapters([new NamedFile(lora)], keepOriginals: false);
        if (File.Exists(word))
            pipeline.AddEmbedding(word);
        return pipeline;
    }
}
