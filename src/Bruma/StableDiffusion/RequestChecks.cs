namespace Bruma.StableDiffusion;

/// <summary>Says in one sentence what of a request does not fit the model.</summary>
internal static class RequestChecks
{
    public static void Check(ImageRequest request, StableDiffusionPipeline pipeline)
    {
        Range("the number of pictures", request.Count, 1, int.MaxValue);
        Range("the number of steps", request.Steps ?? 1, 1, 10_000);
        Range("the guidance scale", request.GuidanceScale ?? 1, 0, 1e6);
        Range("the guidance rescale", request.GuidanceRescale, 0, 1);
        Range("eta", request.Eta ?? 0, 0, 1);
        Range("the strength of the variation", request.Variation?.Strength ?? 0, 0, 1);
        Side("width", request.Width, pipeline.SizeMultiple);
        Side("height", request.Height, pipeline.SizeMultiple);
        CheckStart(request, pipeline.Network.Config);
        foreach (var control in request.Controls)
            Range("the strength of a control", control.Strength, 0, 100);
    }

    private static void CheckStart(ImageRequest request, UNet2DConditionConfig network)
    {
        if (network.IsInpainting && request.Start?.Mask is null)
            throw new BrumaException("the model is made for inpainting: give a start picture and a mask (--image, --mask).");
        if (network.IsInstruction && request.Start is null)
            throw new BrumaException("the model changes pictures by instruction (InstructPix2Pix): give the picture (--image).");
        if (request.Start is not { } start)
            return;
        Range("the strength", start.Strength ?? 1, 0, 1);
        if (start.Mask is { } mask && (mask.shape[^2] != start.Pixels.shape[^2] || mask.shape[^1] != start.Pixels.shape[^1]))
            throw new BrumaException($"the mask is {mask.shape[^1]}x{mask.shape[^2]} pixels but the picture {start.Pixels.shape[^1]}x{start.Pixels.shape[^2]}; give a mask of the picture's size.");
    }

    private static void Side(string name, int? pixels, int multiple)
    {
        if (pixels is { } side && (side < multiple || side % multiple != 0))
            throw new BrumaException($"the {name} is {side}, which is not a multiple of {multiple}; {Nearest(side, multiple)} is the nearest that is.");
    }

    private static int Nearest(int side, int multiple) => Math.Max(multiple, (side + multiple / 2) / multiple * multiple);

    private static void Range(string name, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new BrumaException(most >= int.MaxValue
                ? FormattableString.Invariant($"{name} is {value}; it must be at least {least}.")
                : FormattableString.Invariant($"{name} is {value}; it must be {least} to {most}."));
    }
}
