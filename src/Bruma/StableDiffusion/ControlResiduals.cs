using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>What the ControlNets of a run add to the U-Net, step by step.</summary>
/// <param name="steps">Network calls of the run: shares of the steps count from its beginning.</param>
/// <param name="firstStep">Index of the first of them.</param>
internal sealed class ControlResiduals(IReadOnlyList<ControlInput> controls, (PictureSize Size, int Batch) output, int steps, int firstStep, bool guess) : IDisposable
{
    private readonly List<Tensor> _pictures = [.. controls.Select(control => Prepare(control.Picture, output.Size).DetachFromDisposeScope())];

    /// <param name="conditioning">Of all passes of the batch.</param>
    /// <param name="input">Scaled latents of one pass, [B, 4, h, w], and their times.</param>
    /// <returns>The conditioning with residuals for all passes; zeros for those that ControlNets do not see.</returns>
    public UNetConditioning AddTo(UNetConditioning conditioning, IReadOnlyList<GuidedPass> batch, (Tensor Sample, Tensor Times) input, int step)
    {
        var seen = batch.Where(pass => pass.IsControlled).ToList();
        var active = Enumerable.Range(0, controls.Count).Where(i => seen.Count > 0 && IsActive(controls[i], step - firstStep)).ToList();
        if (active.Count == 0)
            return conditioning;
        var own = seen.Count == batch.Count ? conditioning with { TimestepCond = null } : new UNetConditioning(
            Joined(seen, pass => pass.Prompt.Context)!, TextEmbeds: Joined(seen, pass => pass.Prompt.Pooled), TimeIds: Joined(seen, pass => pass.TimeIds));
        var outputs = active.Select(i => controls[i].Network.call(
            input.Sample.repeat(seen.Count, 1, 1, 1),
            input.Times.repeat(seen.Count),
            own,
            new ControlSignal(_pictures[i].expand(seen.Count * output.Batch, -1, -1, -1), controls[i].Strength, guess))).ToList();
        var down = Enumerable.Range(0, outputs[0].Down.Count).Select(level => Spread(outputs.Select(part => part.Down[level]).Aggregate((sum, part) => sum + part), batch)).ToList();
        return conditioning with { DownResiduals = down, MidResidual = Spread(outputs.Select(part => part.Mid).Aggregate((sum, part) => sum + part), batch) };
    }

    public void Dispose() => _pictures.ForEach(picture => picture.Dispose());

    private bool IsActive(ControlInput control, int i) => (double)i / steps >= control.Start && (i + 1.0) / steps <= control.End;

    /// <summary>Zeros in front, where the passes are that are not seen.</summary>
    private static Tensor Spread(Tensor residual, IReadOnlyList<GuidedPass> batch)
    {
        var seen = batch.Count(pass => pass.IsControlled);
        return seen == batch.Count ? residual : cat([.. batch.Where(pass => !pass.IsControlled).Select(_ => zeros_like(residual)), residual]);
    }

    private static Tensor? Joined(List<GuidedPass> passes, Func<GuidedPass, Tensor?> part) => part(passes[0]) is null ? null : cat([.. passes.Select(pass => part(pass)!)]);

    /// <summary>[1, 3, H, W] in [0, 1].</summary>
    private static Tensor Prepare(Tensor pixels, PictureSize size)
    {
        using var scope = NewDisposeScope();
        var resized = Resampling.Resize(pixels, size.Width, size.Height, ResampleFilter.Lanczos);
        return (resized.expand(3, size.Height, size.Width).unsqueeze(0).to(float32) / 255).MoveToOuterDisposeScope();
    }
}
