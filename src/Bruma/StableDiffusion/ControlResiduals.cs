using static TorchSharp.torch;

namespace Bruma.StableDiffusion;
internal sealed class ControlResiduals(IReadOnlyList<ControlInput> controls, (PictureSize Size, int Batch) output, int steps, int firstStep, bool guess) : IDisposable
{
    public UNetConditioning AddTo(UNetConditioning c, IReadOnlyList<GuidedPass> batch, (Tensor, Tensor) x, int step) { _ = controls; return c; }
    public void Dispose() { _ = (controls, output, steps, firstStep, guess); }
}
