using Bruma.Hub;
using Bruma.Transformers;

namespace Bruma.StableDiffusion;

/// <summary>A diffusers folder as a member of a family: what its parts would be called in a single file.</summary>
internal sealed class FolderLayout
{
    private readonly ModelSources _sources;

    /// <exception cref="BrumaException">The folder has no U-Net, or one that no single file can hold.</exception>
    public FolderLayout(ModelSources sources)
    {
        _sources = sources;
        UNet = UNet2DConditionModel.ReadConfig(sources.PathOf("unet"));
        Family = (Has("text_encoder"), Has("text_encoder_2")) switch
        {
            (true, true) => ModelFamily.Sdxl,
            (false, true) => ModelFamily.SdxlRefiner,
            _ when UNet.HasAddedConditions => UNet.CrossAttentionDim[0] == ModelFamily.SdxlRefiner.UNet.CrossAttentionDim[0] ? ModelFamily.SdxlRefiner : ModelFamily.Sdxl,
            _ => UNet.UseLinearProjection ? ModelFamily.Sd2 : ModelFamily.Sd1,
        };
    }

    public ModelFamily Family { get; }

    public UNet2DConditionConfig UNet { get; }

    /// <summary>The networks of the folder that a single file holds, with where their parameters go.</summary>
    public IEnumerable<(string Component, IReadOnlyDictionary<string, TensorPart> Parts)> Components()
    {
        yield return ("unet", Prefixed(LdmNames.UNet(UNet), FamilyDetection.UNetPrefix));
        if (Has("vae"))
            yield return ("vae", Prefixed(LdmNames.Autoencoder(AutoencoderKl.ReadConfig(_sources.PathOf("vae"))), FamilyDetection.AutoencoderPrefix));
        foreach (var encoder in Family.Encoders.Where(encoder => Has(encoder.Component)))
        {
            var layout = encoder with { Config = ClipTextTransformer.ReadConfig(_sources.PathOf(encoder.Component)) };
            yield return (encoder.Component, Prefixed(OpenClipNames.Of(layout), layout.Prefix));
        }
    }

    /// <summary>The reverse of a table: how each stored tensor is made of the network's.</summary>
    public static Dictionary<string, TensorPart> Reverse(IReadOnlyDictionary<string, TensorPart> parts) => parts
        .GroupBy(part => part.Value.Stored[0], StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.First().Value.Form switch
        {
            TensorForm.Third => new TensorPart([.. group.OrderBy(part => part.Value.Index).Select(part => part.Key)], TensorForm.Stack),
            TensorForm.Matrix => new TensorPart(group.First().Key, TensorForm.Convolution),
            var form => new TensorPart(group.First().Key, form),
        }, StringComparer.Ordinal);

    private bool Has(string component) => File.Exists(Path.Combine(_sources.PathOf(component), "config.json"));

    private static Dictionary<string, TensorPart> Prefixed(Dictionary<string, TensorPart> parts, string prefix) =>
        parts.ToDictionary(part => part.Key, part => part.Value with { Stored = [.. part.Value.Stored.Select(name => prefix + name)] }, StringComparer.Ordinal);
}
