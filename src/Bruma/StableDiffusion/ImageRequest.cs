using Bruma.Diffusion.Schedulers;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Where start noise comes from.</summary>
public enum RandomSource
{
    /// <summary>PyTorch's CPU generator: the seeds of diffusers and ComfyUI.</summary>
    Cpu,

    /// <summary>Philox, the generator of GPUs: the seeds of A1111 and stable-diffusion.cpp.</summary>
    Cuda,
}

/// <summary>What to draw and how. Null takes the model's own default. The prompt itself is an argument of the pipeline.</summary>
public sealed record ImageRequest
{
    /// <summary>What to steer away from. Null and empty differ for XL models: null may mean zeros.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>The prompt of XL's second encoder; null for the same as the first's.</summary>
    public string? Prompt2 { get; init; }

    public string? NegativePrompt2 { get; init; }

    /// <summary>Pixels, a multiple of 8; null for the start picture's, else the model's.</summary>
    public int? Width { get; init; }

    /// <inheritdoc cref="Width"/>
    public int? Height { get; init; }

    public int? Steps { get; init; }

    /// <summary>Classifier-free guidance: how far beyond the unguided prediction; 1 is none.</summary>
    public double? GuidanceScale { get; init; }

    /// <summary>Share, 0 to 1, of the guided prediction that is brought back to the unguided one's deviation (arXiv:2305.08891).</summary>
    public double GuidanceRescale { get; init; }

    /// <summary>Picture i of several has seed + i and does not depend on the others.</summary>
    public long Seed { get; init; }

    public int Count { get; init; } = 1;

    public RandomSource Random { get; init; }

    /// <summary>Mixes some of another seed's noise into the start noise.</summary>
    public Variation? Variation { get; init; }

    /// <summary>Another scheduler than the model's.</summary>
    public SchedulerConfig? Scheduler { get; init; }

    /// <summary>Timesteps to visit, falling, in place of a number of steps.</summary>
    public IReadOnlyList<double>? Timesteps { get; init; }

    /// <summary>Share of fresh noise, 0 to 1, for DDIM and TCD; null for 0, as in diffusers' pipelines.</summary>
    public double? Eta { get; init; }

    /// <summary>Layers of the text encoder that are left out at its end.</summary>
    public int? ClipSkip { get; init; }

    /// <summary>diffusers' reading is the default.</summary>
    public PromptSyntax Syntax { get; init; }

    /// <summary>A picture to start from: image to image, inpainting or an instruction to change it, as the model and the mask have it.</summary>
    public StartImage? Start { get; init; }

    public IReadOnlyList<ControlInput> Controls { get; init; } = [];

    /// <summary>ControlNets recognise the picture without help of the prompt (arXiv:2302.05543, section 3.4 of the code's notes).</summary>
    public bool GuessMode { get; init; }

    /// <summary>Sizes that XL models are told.</summary>
    public XlSizes Sizes { get; init; } = new();

    /// <summary>Stops when this share of the noise is gone, 0 to 1, for a refiner to go on; null to finish.</summary>
    public double? DenoisingEnd { get; init; }

    /// <summary>Goes on from latents (<see cref="StartLatents"/>) of which this share of the noise is gone.</summary>
    public double? DenoisingStart { get; init; }

    /// <summary>Scaled latents to start from, [1, 4, H/8, W/8]: noised first unless <see cref="DenoisingStart"/> says where they are. Null for noise.</summary>
    public Tensor? StartLatents { get; init; }

    /// <summary>Share of the steps that is run over noised <see cref="StartLatents"/>.</summary>
    public double StartLatentsStrength { get; init; } = 1;

    /// <summary>A second, larger pass; null for none.</summary>
    public HighResolution? HighResolution { get; init; }

    /// <summary>Decodes and encodes big pictures in tiles, so that memory does not grow with them.</summary>
    public bool Tiling { get; init; }
}

/// <summary>A share of another seed's start noise.</summary>
/// <param name="Seed">Picture i has seed + i, while the main seed stays.</param>
/// <param name="Strength">0 to 1.</param>
public sealed record Variation(long Seed, double Strength);

/// <summary>A picture to start from.</summary>
/// <param name="Pixels">uint8 [1 or 3, H, W].</param>
/// <param name="Strength">Share of the steps that is run, 0 to 1: at 1 little of the picture is left. Null for 0.8, with a mask 1.</param>
/// <param name="Mask">uint8 [1, H, W], white where to draw anew; null for everywhere.</param>
/// <param name="ImageGuidanceScale">How closely InstructPix2Pix keeps to the picture.</param>
/// <param name="File">Where the picture came from, for the record.</param>
/// <param name="MaskFile">See <paramref name="File"/>.</param>
public sealed record StartImage(Tensor Pixels, double? Strength = null, Tensor? Mask = null, double ImageGuidanceScale = 1.5, string? File = null, string? MaskFile = null);

/// <summary>A ControlNet and what it sees.</summary>
/// <param name="Network">Belongs to the caller.</param>
/// <param name="Picture">uint8 [1 or 3, H, W]: edges, depth, a pose, as the network was trained.</param>
/// <param name="Strength">Factor of what it adds.</param>
/// <param name="Start">Share of the steps before which it is silent, 0 to 1.</param>
/// <param name="End">Share of the steps after which it is silent.</param>
/// <param name="Model">What the network was loaded from, for the record.</param>
/// <param name="File">Where the picture came from, for the record.</param>
public sealed record ControlInput(ControlNetModel Network, Tensor Picture, double Strength = 1, double Start = 0, double End = 1, NamedFile? Model = null, string? File = null);

/// <summary>A second pass over an enlarged picture.</summary>
/// <param name="Scale">Factor of both sides.</param>
/// <param name="Strength">Share of the steps that is run.</param>
/// <param name="Steps">Null for as many as in the first pass.</param>
/// <param name="InPixels">Enlarges the decoded picture (Lanczos) instead of the latents.</param>
public sealed record HighResolution(double Scale = 2, double Strength = 0.7, int? Steps = null, bool InPixels = false);

/// <summary>Height and width.</summary>
public readonly record struct PictureSize(int Height, int Width);

/// <summary>What SDXL is told of the picture that it should pretend to have been trained on (arXiv:2307.01952, section 2.2); null for the size of the output.</summary>
/// <param name="Crop">Top and left of the crop.</param>
/// <param name="NegativeOriginal">Counts only together with <paramref name="NegativeTarget"/>.</param>
/// <param name="AestheticScore">For the refiner.</param>
public sealed record XlSizes(
    PictureSize? Original = null,
    PictureSize Crop = default,
    PictureSize? Target = null,
    PictureSize? NegativeOriginal = null,
    PictureSize NegativeCrop = default,
    PictureSize? NegativeTarget = null,
    double AestheticScore = 6,
    double NegativeAestheticScore = 2.5)
{
    /// <summary>[B, 6], for the refiner [B, 5].</summary>
    /// <param name="size">Of the output.</param>
    /// <param name="withScore">A refiner's: the aesthetic score in place of the target.</param>
    /// <param name="fromPicture">Whether there is a start picture; then diffusers lets each negative size count by itself, and has no negative crop.</param>
    internal (Tensor Positive, Tensor Negative) Ids(PictureSize size, int batch, bool withScore, bool fromPicture)
    {
        var (original, target) = (Original ?? size, Target ?? size);
        var (other, aim) = (NegativeOriginal ?? original, NegativeTarget ?? target);
        var positive = Row(original, Crop, target, AestheticScore);
        var negative = withScore ? Row(other, NegativeCrop, aim, NegativeAestheticScore)
            : fromPicture ? Row(other, Crop, aim, 0)
            : NegativeOriginal is not null && NegativeTarget is not null ? Row(other, NegativeCrop, aim, 0)
            : positive;
        return (positive, negative);

        Tensor Row(PictureSize first, PictureSize crop, PictureSize aim, double score)
        {
            double[] ids = withScore ? [first.Height, first.Width, crop.Height, crop.Width, score] : [first.Height, first.Width, crop.Height, crop.Width, aim.Height, aim.Width];
            return tensor(ids.Select(id => (float)id).ToArray()).unsqueeze(0).expand(batch, -1);
        }
    }
}
