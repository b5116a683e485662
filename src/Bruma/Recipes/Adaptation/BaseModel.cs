using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.StableDiffusion;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Adaptation;

/// <summary>The parts of the model that is adapted, frozen and in fp32.</summary>
public sealed class BaseModel : IDisposable
{
    private const int XlFrom = 2; // text encoders

    private BaseModel(ModelSources sources, UNet2DConditionModel network, AutoencoderKl autoencoder, PromptEncoder prompts, SchedulerConfig scheduler) =>
        (Sources, Network, Autoencoder, Prompts, Scheduler, Defaults) = (sources, network, autoencoder, prompts, scheduler, ModelDefaults.Read(sources.Folder));

    public ModelSources Sources { get; }

    public UNet2DConditionModel Network { get; }

    public AutoencoderKl Autoencoder { get; }

    public PromptEncoder Prompts { get; }

    /// <summary>Says what the network predicts.</summary>
    public SchedulerConfig Scheduler { get; }

    /// <summary>What the model says about itself: steps and guidance that suit it.</summary>
    internal ModelDefaults Defaults { get; }

    /// <summary>Pixels per latent, along a side.</summary>
    public int Reduction => Autoencoder.Config.Reduction;

    /// <summary>Sides of pictures must be multiples of it for the U-Net to halve them without a rest.</summary>
    internal int PixelStep => Reduction << (Network.Config.BlockOutChannels.Length - 1);

    /// <summary>The networks by the names that checkpoints have for them.</summary>
    public IReadOnlyDictionary<string, Module> Components
    {
        get
        {
            var components = new Dictionary<string, Module>(StringComparer.Ordinal) { ["unet"] = Network };
            for (var i = 0; i < Prompts.Encoders.Count; i++)
                components[i == 0 ? "text_encoder" : $"text_encoder_{i + 1}"] = Prompts.Encoders[i].Network;
            return components;
        }
    }

    /// <summary>SHA-256 of the network's weights: which base it is.</summary>
    public string Sha256() => FileHash.Sha256(ModelFolder.FindWeights(Sources.PathOf("unet"), Sources.Variant));

    /// <param name="path">A diffusers folder, or a single file, which is unpacked into the cache once.</param>
    /// <exception cref="BrumaException">It is no text-to-image model of Stable Diffusion, or a part is missing or damaged.</exception>
    public static BaseModel Load(string path)
    {
        var folder = UnpackedCheckpoint.FolderOf(path);
        var sources = new ModelSources(folder);
        if (!Directory.Exists(folder) || !sources.Has("unet"))
            throw new BrumaException($"{path}: is no model folder with a unet/; give a Stable Diffusion model: a folder in diffusers' layout or a single file.");
        if (sources.ClassName is { } name && !name.StartsWith("StableDiffusion", StringComparison.Ordinal))
            throw new BrumaException($"{path}: is a {name}, which cannot be adapted here; choose a Stable Diffusion 1.x, 2.x or XL model.");
        var network = UNet2DConditionModel.Load(sources.PathOf("unet"));
        var autoencoder = AutoencoderKl.Load(sources.PathOf("vae"));
        if (network.Config.InChannels != autoencoder.Config.LatentChannels)
            throw new BrumaException($"{path}: its U-Net takes {network.Config.InChannels} channels ({(network.Config.InChannels > 2 * network.Config.OutChannels ? "inpainting" : "another task")}); choose a text-to-image model.");
        var model = new BaseModel(sources, network, autoencoder, PromptEncoder.Load(sources), SchedulerConfig.Load(Path.Combine(sources.PathOf("scheduler"), "scheduler_config.json")));
        foreach (var part in model.Components.Values.Append(model.Autoencoder))
        {
            part.eval();
            foreach (var parameter in part.parameters())
                parameter.requires_grad_(false);
        }
        return model;
    }

    public void Dispose()
    {
        Network.Dispose();
        Autoencoder.Dispose();
        Prompts.Dispose();
    }

    /// <summary>Of the pictures behind latents, [..., h, w].</summary>
    internal PictureSize SizeOf(Tensor latents) => new((int)latents.shape[^2] * Reduction, (int)latents.shape[^1] * Reduction);

    /// <summary>What the network sees of captions.</summary>
    /// <param name="size">Of the pictures: XL models are told.</param>
    /// <param name="withGradients">Whether the text encoders are trained.</param>
    public UNetConditioning Condition(IReadOnlyList<string> captions, PictureSize size, bool withGradients = false)
    {
        var text = Prompts.Encode(captions, default, withGradients: withGradients);
        return With(text, captions.Count, size);
    }

    internal UNetConditioning With(PromptEmbedding text, int count, PictureSize size)
    {
        var ids = Prompts.IsXl ? tensor(new float[] { size.Height, size.Width, 0, 0, size.Height, size.Width }).unsqueeze(0).expand(count, -1) : null;
        return new UNetConditioning(text.Context, TextEmbeds: Prompts.IsXl ? text.Pooled : null, TimeIds: Prompts.Encoders.Count >= XlFrom ? ids : null);
    }
}
