namespace Bruma.Adapters;

/// <summary>Size and kind of the low-rank layers of a run.</summary>
/// <param name="Rank">r, columns of the update's factors.</param>
/// <param name="Alpha">The update counts alpha / r times; null for r, that is, once.</param>
/// <param name="Dropout">Share of the layer's inputs that the update does not see in training.</param>
/// <param name="UseDora">Learns the length of every output row apart from its direction (Liu et al. 2024, arXiv:2402.09353).</param>
public sealed record LoraOptions(int Rank = 8, double? Alpha = null, double Dropout = 0, bool UseDora = false)
{
    /// <summary>The factor of up · down.</summary>
    public double Scale => (Alpha ?? Rank) / Rank;
}

/// <summary>Layers that get a low-rank update.</summary>
/// <param name="Component">The part's name in files: <c>unet</c>, <c>text_encoder</c>, <c>text_encoder_2</c>; empty where a file has one network only.</param>
/// <param name="Network">Holds the layers; is frozen.</param>
/// <param name="Names">A layer is meant when its name, or the end of it at a dot, is one of these: <c>to_q</c>, <c>attn2.to_k</c>, <c>ff.net.0.proj</c>, <c>conv1</c>.</param>
public sealed record LoraTargets(string Component, TorchSharp.torch.nn.Module Network, IReadOnlyList<string> Names)
{
    /// <summary>The projections of attention in Stable Diffusion's U-Net.</summary>
    public static IReadOnlyList<string> Attention { get; } = ["to_q", "to_k", "to_v", "to_out.0"];

    /// <summary>The feed-forward layers beside attention.</summary>
    public static IReadOnlyList<string> FeedForward { get; } = ["ff.net.0.proj", "ff.net.2"];

    /// <summary>The convolutions of residual blocks and of the changes of size (LoCon).</summary>
    public static IReadOnlyList<string> Convolutions { get; } = ["conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv"];

    /// <summary>The projections of attention in CLIP's text encoder.</summary>
    public static IReadOnlyList<string> TextAttention { get; } = ["q_proj", "k_proj", "v_proj", "out_proj"];

    /// <summary>Whether a name of a layer ends, at a dot, in the other.</summary>
    internal static bool Ends(string layer, string name) =>
        layer.EndsWith(name, StringComparison.Ordinal) && (layer.Length == name.Length || layer[^(name.Length + 1)] == '.');
}
