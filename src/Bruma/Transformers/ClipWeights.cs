using Bruma.Hub;

namespace Bruma.Transformers;

/// <summary>What the checkpoints of whole CLIPs and of their towers have for one another.</summary>
internal static class ClipWeights
{
    /// <summary>Weights of the other tower and, where the class has none, of the projection may be left out.</summary>
    public static WeightOptions Text(bool projection) => new(Ignore: name => Starts(name, "vision_model.", "visual_projection.", "logit_scale") || !projection && Starts(name, "text_projection."));

    /// <inheritdoc cref="Text"/>
    public static WeightOptions Vision(bool projection) => new(Ignore: name => Starts(name, "text_model.", "text_projection.", "logit_scale") || !projection && Starts(name, "visual_projection."));

    /// <summary>The towers' configs are read as those of the towers alone: they may hold all keys that those hold.</summary>
    public static ClipConfig ReadConfig(string folder)
    {
        var whole = ConfigFile.Read(Path.Combine(folder, "config.json"), TransformerConfigs.Default.ClipSpace, ConfigKind.Lenient);
        return new ClipConfig(ClipTextTransformer.ReadConfig(folder), ClipVisionTransformer.ReadConfig(folder), whole.ProjectionDim, whole.LogitScaleInitValue);
    }

    private static bool Starts(string name, params string[] prefixes) => Array.Exists(prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}

/// <summary>The part of a CLIP's config that belongs to neither tower.</summary>
internal sealed record ClipSpace(int ProjectionDim = 512, double LogitScaleInitValue = 2.6592);
