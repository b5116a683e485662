namespace Bruma.Adapters;

/// <summary>The names that the layers of a U-Net had in the first code of Stable Diffusion, in which kohya's SDXL files are written: <c>input_blocks.4.1</c> for <c>down_blocks.1.attentions.0</c>.</summary>
/// <remarks>Blocks are counted, so the numbers follow from the list of layers alone.</remarks>
internal static class OriginalUNetNames
{
    private static readonly (string Now, string Then)[] Single =
    [
        ("conv_in", "input_blocks.0.0"), ("conv_out", "out.2"), ("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
        ("add_embedding.linear_1", "label_emb.0.0"), ("add_embedding.linear_2", "label_emb.0.2"),
        ("mid_block.resnets.0", "middle_block.0"), ("mid_block.attentions.0", "middle_block.1"), ("mid_block.resnets.1", "middle_block.2"),
    ];

    private static readonly (string Now, string Then)[] Residual =
        [(".conv1", ".in_layers.2"), (".time_emb_proj", ".emb_layers.1"), (".conv2", ".out_layers.3"), (".conv_shortcut", ".skip_connection")];

    /// <returns>The first names by today's; layers that had none are missing.</returns>
    public static IReadOnlyDictionary<string, string> Of(IReadOnlyList<string> layers)
    {
        List<(string Now, string Then)> blocks = [.. Single, .. Down(layers), .. Up(layers)];
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var layer in layers)
            if (blocks.Find(block => layer == block.Now || layer.StartsWith(block.Now + ".", StringComparison.Ordinal)) is { Now: not null } block)
                names[layer] = block.Then + Inner(layer[block.Now.Length..]);
        return names;
    }

    private static string Inner(string rest) => Residual.FirstOrDefault(pair => pair.Now == rest) is { Then: { } then } ? then : rest;

    private static IEnumerable<(string, string)> Down(IReadOnlyList<string> layers)
    {
        var number = 1; // 0 is conv_in
        for (var level = 0; Has(layers, $"down_blocks.{level}"); level++)
        {
            for (var i = 0; Has(layers, $"down_blocks.{level}.resnets.{i}"); i++, number++)
            {
                yield return ($"down_blocks.{level}.resnets.{i}", $"input_blocks.{number}.0");
                yield return ($"down_blocks.{level}.attentions.{i}", $"input_blocks.{number}.1");
            }
            if (Has(layers, $"down_blocks.{level}.downsamplers"))
                yield return ($"down_blocks.{level}.downsamplers.0.conv", $"input_blocks.{number++}.0.op");
        }
    }

    private static IEnumerable<(string, string)> Up(IReadOnlyList<string> layers)
    {
        var number = 0;
        for (var level = 0; Has(layers, $"up_blocks.{level}"); level++)
        {
            for (var i = 0; Has(layers, $"up_blocks.{level}.resnets.{i}"); i++, number++)
            {
                yield return ($"up_blocks.{level}.resnets.{i}", $"output_blocks.{number}.0");
                yield return ($"up_blocks.{level}.attentions.{i}", $"output_blocks.{number}.1");
            }
            yield return ($"up_blocks.{level}.upsamplers.0.conv", $"output_blocks.{number - 1}.{(Has(layers, $"up_blocks.{level}.attentions") ? 2 : 1)}.conv");
        }
    }

    private static bool Has(IReadOnlyList<string> layers, string block) => layers.Any(layer => layer.StartsWith(block + ".", StringComparison.Ordinal));
}
