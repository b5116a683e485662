namespace Bruma.StableDiffusion;
public sealed class ControlNetModel : TorchSharp.torch.nn.Module
{
    public ControlNetModel() : base("x") {}
    public static ControlNetModel Load(string folder, string? variant = null) => throw new BrumaException("not yet");
}
