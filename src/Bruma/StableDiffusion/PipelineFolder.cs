using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using TorchSharp;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

public sealed partial class StableDiffusionPipeline
{
    /// <summary>What the class of a folder must begin with.</summary>
    private static readonly string[] Families = ["StableDiffusionPipeline", "StableDiffusionXL", "StableDiffusionImg2Img", "StableDiffusionInpaint", "StableDiffusionInstructPix2Pix", "StableDiffusionControlNet", "LatentConsistencyModel"];

    /// <summary>Whether this pipeline is the one for folders of the class.</summary>
    public static bool Knows(string? className) => className is null || Array.Exists(Families, family => className.StartsWith(family, StringComparison.Ordinal));

    /// <summary>Opens a model by where it lies: a diffusers folder.</summary>
    /// <exception cref="BrumaException">There is no such model, or a part of it is missing or damaged.</exception>
    public static StableDiffusionPipeline Load(string model, PipelineOptions? options = null)
    {
        var wishes = options ?? new PipelineOptions();
        return Load(new ModelSources(model, Variant: wishes.Variant), wishes.Type);
    }

    /// <summary>Reads a diffusers folder, parts of which may come from elsewhere.</summary>
    /// <param name="dtype">The type to compute in.</param>
    /// <exception cref="BrumaException">A part is missing or damaged, or the folder is of another family.</exception>
    public static StableDiffusionPipeline Load(ModelSources sources, ScalarType dtype = ScalarType.Float32)
    {
        if (!Knows(sources.ClassName))
            throw new BrumaException($"{sources.Folder}: is a {sources.ClassName}, which Bruma does not draw with; it knows Stable Diffusion 1.x, 2.x and XL, and what is built of them.");
        var prompts = PromptEncoder.Load(sources);
        var network = UNet2DConditionModel.Load(sources.PathOf("unet"), sources.Variant);
        var autoencoder = AutoencoderKl.Load(sources.PathOf("vae"), sources.Variant);
        var scheduler = SchedulerConfig.Load(Path.Combine(sources.PathOf("scheduler"), "scheduler_config.json"));
        if (dtype != ScalarType.Float32)
        {
            network.to(dtype);
            autoencoder.to(dtype);
            foreach (var encoder in prompts.Encoders)
                encoder.Network.to(dtype);
        }
        return new StableDiffusionPipeline(network, autoencoder, prompts, scheduler, ModelDefaults.Read(sources.Folder))
        {
            Identity = new ModelIdentity(sources.Folder, sources.Folder) { Precision = dtype == ScalarType.BFloat16 ? "bf16" : "fp32" },
        };
    }
}
