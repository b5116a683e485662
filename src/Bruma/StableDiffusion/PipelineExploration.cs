using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

public sealed partial class StableDiffusionPipeline
{
    /// <summary>The start noise of a seed for a request's size, [1, 4, h, w].</summary>
    public Tensor NoiseOf(long seed, ImageRequest request)
    {
        var size = LatentRun.SizeOf(this, request);
        using var noise = new SeededNoise(seed, request.Random, null);
        return noise.Draw([1, Codec.Channels, size.Height / SizeMultiple, size.Width / SizeMultiple]);
    }

    /// <summary>Draws one picture from given start noise.</summary>
    /// <param name="noise">[1, 4, h, w], of unit variance.</param>
    /// <returns>uint8 [3, H, W].</returns>
    public Tensor DrawFrom(Tensor noise, PromptBatch prompts, ImageRequest request, Action<DenoisingStep>? onStep = null, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var further = new SeededNoise(request.Seed, request.Random, null);
        var begun = false;
        var latents = Sample(prompts, request with { Count = 1, Width = (int)noise.shape[3] * SizeMultiple, Height = (int)noise.shape[2] * SizeMultiple }, Draw, onStep, cancellationToken);
        return ImageTensor.ToBytes(Decode(latents, request.Tiling))[0].MoveToOuterDisposeScope();

        Tensor Draw(long[] shape)
        {
            var first = !begun;
            begun = true;
            var drawn = further.Draw(shape); // also the first, so that later draws are those of the seed
            return first ? noise.alias() : drawn;
        }
    }

    /// <summary>The start noise from which a picture would have come: the denoising run backwards.</summary>
    /// <remarks>Song et al. 2021, arXiv:2010.02502, section 4.3; without guidance, as with it the way back is not unique (Mokady et al. 2022, arXiv:2211.09794).</remarks>
    /// <param name="picture">uint8 [3, H, W].</param>
    /// <param name="prompt">Describes the picture as it is.</param>
    /// <returns>[1, 4, h, w].</returns>
    public Tensor Invert(Tensor picture, string prompt, ImageRequest request, Action<DenoisingStep>? onStep = null, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var pixels = LatentStarts.Prepare(picture, request is { Height: { } height, Width: { } width } ? new PictureSize(height, width) : null, SizeMultiple);
        var latents = Codec.Encode(pixels, null, request.Tiling);
        var backwards = request with { Count = 1, Scheduler = Scheduler.As("DDIMInverseScheduler"), StartLatents = latents, DenoisingStart = 0, Start = null, GuidanceScale = 1, Controls = [] };
        return Sample(new PromptBatch([prompt]), backwards, NormalNoise.None, onStep, cancellationToken).MoveToOuterDisposeScope();
    }
}
