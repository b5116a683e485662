using Bruma.Hub;

namespace Bruma.StableDiffusion;

/// <summary>Whether the numbers of a U-Net's config fit together.</summary>
internal static class UNetConfigChecks
{
    public static void Sizes(UNet2DConditionConfig config, ConfigCheck check)
    {
        var levels = config.Levels;
        check.Require(levels > 0 && levels == config.DownBlockTypes.Length, "down_block_types", config.DownBlockTypes.Length, $"as many as \"block_out_channels\", {levels}");
        check.Require(levels == config.UpBlockTypes.Length, "up_block_types", config.UpBlockTypes.Length, $"as many as \"block_out_channels\", {levels}");
        foreach (var channels in config.BlockOutChannels)
            check.Require(channels > 0, "block_out_channels", channels, "widths above 0");
        check.Require(config.InChannels > 0, "in_channels", config.InChannels, "a number above 0");
        check.Require(config.OutChannels > 0, "out_channels", config.OutChannels, "a number above 0");
        check.Require(config.TimeWidth > 0, "time_embedding_dim", config.TimeEmbeddingDim, "a number above 0");
        check.Require(config.ConvInKernel % 2 == 1, "conv_in_kernel", config.ConvInKernel, "an odd number");
        check.Require(config.ConvOutKernel % 2 == 1, "conv_out_kernel", config.ConvOutKernel, "an odd number");
        check.Require(config.MidBlockScaleFactor != 0, "mid_block_scale_factor", config.MidBlockScaleFactor, "a number other than 0");
        check.Require(config.Dropout is >= 0 and < 1, "dropout", config.Dropout, "a probability from 0 to below 1");
        PerLevelValues(config, check);
        Conditions(config, check);
    }

    private static void PerLevelValues(UNet2DConditionConfig config, ConfigCheck check)
    {
        Suits(check, "layers_per_block", config.LayersPerBlock, config.Levels);
        Suits(check, "cross_attention_dim", config.CrossAttentionDim, config.Levels);
        Suits(check, "attention_head_dim", config.AttentionHeadDim, config.Levels);
        check.Require(config.OnlyCrossAttention.Suits(config.Levels), "only_cross_attention", config.OnlyCrossAttention, $"one value or one per level, {config.Levels}");
        for (var level = 0; level < config.Levels; level++)
            check.Require(config.BlockOutChannels[level] % config.AttentionHeadDim[level] == 0, "attention_head_dim", config.AttentionHeadDim, $"a number of heads that divides the width of the level, {config.BlockOutChannels[level]}");
        Depths(check, "transformer_layers_per_block", config.TransformerLayersPerBlock, config, 0);
        if (config.ReverseTransformerLayersPerBlock is { } reverse)
            Depths(check, "reverse_transformer_layers_per_block", reverse, config, 1);
        else
            foreach (var depths in config.TransformerLayersPerBlock)
                check.Require(depths.Length == 1, "reverse_transformer_layers_per_block", null, "the depths of the way up, since those of the way down differ within a level");
    }

    private static void Suits(ConfigCheck check, string key, PerLevel<int> values, int levels)
    {
        check.Require(values.Suits(levels), key, values, $"one number or one per level, {levels}");
        foreach (var value in values)
            check.Require(value > 0, key, values, "numbers above 0");
    }

    /// <param name="extra">1 on the way up, where each level has one layer more.</param>
    private static void Depths(ConfigCheck check, string key, PerLevel<int[]> depths, UNet2DConditionConfig config, int extra)
    {
        check.Require(depths.Suits(config.Levels), key, depths.Values.Count, $"one number or one per level, {config.Levels}");
        for (var level = 0; level < config.Levels; level++)
        {
            var layers = config.LayersPerBlock[extra == 0 ? level : config.Levels - 1 - level] + extra;
            check.Require(depths[level].Length == 1 || depths[level].Length == layers, key, $"[{string.Join(", ", depths[level])}]", $"one number or one per layer, {layers}");
            foreach (var depth in depths[level])
                check.Require(depth >= 0, key, depth, "numbers of at least 0");
        }
    }

    private static void Conditions(UNet2DConditionConfig config, ConfigCheck check)
    {
        check.Require(config.NumClassEmbeds is null or > 0, "num_class_embeds", config.NumClassEmbeds, "a number above 0 or null");
        check.Require(!config.ClassEmbeddingsConcat || config.HasClasses, "class_embeddings_concat", config.ClassEmbeddingsConcat, "false, since there are no classes");
        var isProjected = config.ClassEmbedType is "projection" or "simple_projection" || config.HasAddedConditions;
        check.Require(!isProjected || config.ProjectionClassEmbeddingsInputDim > 0, "projection_class_embeddings_input_dim", config.ProjectionClassEmbeddingsInputDim, "the width of what is projected");
        check.Require(!config.HasAddedConditions || config.AdditionTimeEmbedDim > 0, "addition_time_embed_dim", config.AdditionTimeEmbedDim, "the width of an encoded size");
    }
}
