using Bruma.Hub;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

public sealed partial class StableDiffusionPipeline
{
    /// <summary>What the class of a folder must begin with.</summary>
    private static readonly string[] Families = ["StableDiffusionPipeline", "StableDiffusionXL", "StableDiffusionImg2Img", "StableDiffusionInpaint", "StableDiffusionInstructPix2Pix", "StableDiffusionControlNet", "LatentConsistencyModel"];

    /// <summary>Whether this pipeline is the one for folders of the class.</summary>
    public static bool Knows(string? className) => className is null || Array.Exists(Families, family => className.StartsWith(family, StringComparison.Ordinal));

    /// <summary>Opens a model by where it lies: a diffusers folder, a single file of the original layout, or a model of the hub (<c>hf:org/name[@revision]</c>).</summary>
    /// <exception cref="BrumaException">There is no such model, or a part of it is missing or damaged.</exception>
    public static StableDiffusionPipeline Load(string model, PipelineOptions? options = null)
    {
        var wishes = options ?? new PipelineOptions();
        var path = HubReference.IsHub(model) ? HubDownload.Model(HubReference.Parse(model), wishes.Variant).GetAwaiter().GetResult() : model;
        var pipeline = Load(new ModelSources(path, Variant: wishes.Variant) { Prediction = wishes.Prediction }, wishes.Type);
        pipeline.Identity = pipeline.Identity with { Name = model };
        return pipeline;
    }

    /// <summary>Reads a diffusers folder or a single file, parts of which may come from elsewhere.</summary>
    /// <param name="dtype">The type to compute in.</param>
    /// <exception cref="BrumaException">A part is missing or damaged, or the folder is of another family.</exception>
    public static StableDiffusionPipeline Load(ModelSources sources, ScalarType dtype = ScalarType.Float32)
    {
        if (!Knows(sources.ClassName))
            throw new BrumaException($"{sources.Folder}: is a {sources.ClassName}, which Bruma does not draw with; it knows Stable Diffusion 1.x, 2.x and XL, and what is built of them.");
        var prompts = PromptEncoder.Load(sources, dtype);
        var defaults = sources.IsSingleFile ? null : ModelDefaults.Read(sources.Folder);
        var network = sources.LoadUNet(dtype);
        FastConvolution.Allow(network);
        return new StableDiffusionPipeline(network, sources.LoadAutoencoder(dtype), prompts, sources.LoadScheduler(), defaults)
        {
            Identity = new ModelIdentity(sources.Folder, Path.GetFullPath(sources.Folder)) { Precision = dtype == ScalarType.BFloat16 ? "bf16" : "fp32" },
        };
    }
}
