using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Draws pictures with Stable Diffusion 1.x, 2.x and XL, and with networks made of them: inpainting, InstructPix2Pix, latent consistency, XL's refiner.</summary>
/// <remarks>
/// What it does follows from the request and the network: with a start picture image to image, with a mask inpainting, with controls ControlNet. Every part
/// may be replaced; the pipeline disposes the parts that it holds. It serves one thread at a time.
/// </remarks>
public sealed partial class StableDiffusionPipeline : IDisposable
{
    public StableDiffusionPipeline(UNet2DConditionModel network, AutoencoderKl autoencoder, PromptEncoder prompts, SchedulerConfig scheduler, ModelDefaults? defaults = null)
    {
        (Network, Autoencoder, Prompts, Scheduler, Defaults) = (network, autoencoder, prompts, scheduler, defaults ?? new ModelDefaults());
        network.eval();
        autoencoder.eval();
    }

    public UNet2DConditionModel Network { get; set; }

    public AutoencoderKl Autoencoder { get; set; }

    public PromptEncoder Prompts { get; set; }

    public SchedulerConfig Scheduler { get; set; }

    public ModelDefaults Defaults { get; set; }

    /// <summary>What it was loaded from and what was added to it, for the pictures' metadata.</summary>
    public ModelIdentity Identity { get; set; } = new("", null);

    public LatentCodec Codec => new(Autoencoder);

    /// <summary>Width and height are multiples of it.</summary>
    public int SizeMultiple => Codec.Reduction;

    /// <summary>What a request means that leaves things open.</summary>
    public RequestDefaults Standard => RequestDefaults.For(Network.Config, Prompts.IsXl, Defaults);

    /// <summary>Draws one picture after the other, each from its own seed.</summary>
    /// <param name="onStep">Sees the latents of every step; may change them in place.</param>
    /// <param name="progress">Hears of every step.</param>
    /// <exception cref="BrumaException">The request does not fit the model.</exception>
    public IEnumerable<GeneratedImage> Generate(
        string prompt, ImageRequest? request = null, Action<GenerationStep>? onStep = null, IProgress<GenerationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var asked = request ?? new ImageRequest();
        RequestChecks.Check(asked, this);
        return Enumerable.Range(0, asked.Count).Select(i => One(prompt, OfPicture(asked, i), new StepObserver((i, asked.Count), onStep, progress), cancellationToken));
    }

    /// <summary>The run of a batch, up to the latents: what <see cref="Generate"/> does for each picture.</summary>
    /// <param name="prompts">One per sample, or fewer, each for as many samples in a row as the request's count says.</param>
    /// <param name="noise">All draws, in the order in which diffusers draws.</param>
    /// <returns>Scaled latents, [B, 4, h, w], fp32.</returns>
    public Tensor Sample(PromptBatch prompts, ImageRequest request, NoiseSource noise, Action<DenoisingStep>? onStep = null, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        return new LatentRun(this, request, noise).Run(prompts, onStep, cancellationToken).MoveToOuterDisposeScope();
    }

    /// <param name="latents">Scaled, [B, 4, h, w].</param>
    /// <returns>Pictures, [B, 3, H, W] in [-1, 1].</returns>
    public Tensor Decode(Tensor latents, bool tiled = false)
    {
        using var still = no_grad();
        return Codec.Decode(latents, tiled);
    }

    public void Dispose()
    {
        _merge?.Dispose();
        Network.Dispose();
        Autoencoder.Dispose();
        Prompts.Dispose();
    }

    private static ImageRequest OfPicture(ImageRequest request, int i) => request with
    {
        Count = 1,
        Seed = request.Variation is null ? request.Seed + i : request.Seed,
        Variation = request.Variation is { } variation ? variation with { Seed = variation.Seed + i } : null,
    };

    private GeneratedImage One(string prompt, ImageRequest request, StepObserver observer, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var noise = new SeededNoise(request.Seed, request.Random, request.Variation);
        var (size, steps) = (LatentRun.SizeOf(this, request), request.Timesteps?.Count ?? request.Steps ?? Standard.Steps);
        var batch = new PromptBatch(prompt, request);
        observer.Steps = steps + (request.HighResolution is { } second ? (int)((second.Steps ?? steps) * second.Strength) : 0);
        var latents = Sample(batch, request, noise.Draw, observer.Observe, cancellationToken);
        if (request.HighResolution is { } larger)
            latents = Enlarge(batch, request, larger, (latents, size), noise.Draw, observer, cancellationToken);
        return Finish(latents, prompt, request, size);
    }

    /// <param name="refiner">That decodes, since the last latents are its own; null without one.</param>
    private GeneratedImage Finish(Tensor latents, string prompt, ImageRequest request, PictureSize first, StableDiffusionPipeline? refiner = null)
    {
        var pixels = ImageTensor.ToBytes((refiner ?? this).Decode(latents, request.Tiling))[0];
        var steps = request.Timesteps?.Count ?? request.Steps ?? Standard.Steps;
        return new GeneratedImage(pixels, prompt, request with { Width = (int)pixels.shape[2], Height = (int)pixels.shape[1], Steps = steps }, first, this, refiner);
    }

    /// <summary>The second pass: the first one's picture, enlarged, noised and denoised.</summary>
    private Tensor Enlarge(PromptBatch batch, ImageRequest request, HighResolution larger, (Tensor Latents, PictureSize Size) first, NoiseSource noise, StepObserver observer, CancellationToken cancellationToken)
    {
        int Side(int side) => (int)Math.Round(side * larger.Scale / SizeMultiple) * SizeMultiple;
        var size = new PictureSize(Side(first.Size.Height), Side(first.Size.Width));
        var second = request with { Start = null, StartLatents = null, Controls = request.Controls, Width = size.Width, Height = size.Height, Steps = larger.Steps ?? request.Steps, HighResolution = null, Timesteps = null };
        if (larger.InPixels)
        {
            var pixels = ImageTensor.ToBytes(Decode(first.Latents, request.Tiling))[0];
            second = second with { Start = new StartImage(pixels, larger.Strength) };
        }
        else
        {
            var enlarged = nn.functional.interpolate(first.Latents, [size.Height / SizeMultiple, size.Width / SizeMultiple], mode: InterpolationMode.Bilinear, align_corners: false);
            second = second with { StartLatents = enlarged, StartLatentsStrength = larger.Strength };
        }
        return Sample(batch, second, noise, observer.Observe, cancellationToken);
    }
}
