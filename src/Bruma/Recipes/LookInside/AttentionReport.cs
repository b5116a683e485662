using System.Globalization;
using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Reports;
using Bruma.Transformers.Embeddings;
using static TorchSharp.torch;

namespace Bruma.Recipes.LookInside;

/// <summary>Attention as pictures: a file per layer and head, a sheet per layer, and a page with the roles of the heads.</summary>
public static class AttentionReport
{
    private const int Columns = 4;

    /// <param name="folder">New or existing; files of the same names are replaced.</param>
    /// <param name="maps">Of the sentence.</param>
    /// <param name="roles">Measured over more sentences than this one.</param>
    /// <returns>The page.</returns>
    public static string Write(string folder, string model, string sentence, AttentionMaps maps, IReadOnlyList<HeadRole> roles)
    {
        Directory.CreateDirectory(folder);
        var page = new HtmlReport($"Attention of {model}")
            .Paragraph(sentence)
            .Paragraph($"Rows ask, columns are looked at; each row adds up to 1. Roles are mean shares of attention over this sentence and {AttentionRoles.Probes.Count} others; [CLS] and [SEP] ask nothing there.")
            .Heading("What the heads look at");
        foreach (var (name, index) in roles[0].Shares.Select((share, i) => (share.Name, i)))
            page.Picture(RoleMap(folder, maps, roles, name, index), $"Share of attention: {name}", smooth: true);
        page.Table(["layer", "head", "role", "previous", "next", "itself", "delimiter", "same word", "entropy"], roles.OrderByDescending(Largest).Select(Row));
        for (var layer = 0; layer < maps.Layers; layer++)
            page.Heading($"Layer {layer}").Picture(Sheet(folder, maps, roles, layer), $"Layer {layer}, heads 0 to {maps.Heads - 1}", smooth: true);
        var path = Path.Combine(folder, "attention.html");
        AtomicFile.WriteText(path, page.ToString());
        return path;
    }

    private static string RoleMap(string folder, AttentionMaps maps, IReadOnlyList<HeadRole> roles, string name, int index)
    {
        var values = new double[maps.Layers, maps.Heads];
        foreach (var role in roles)
            values[role.Layer, role.Head] = role.Shares[index].Share;
        var file = $"role-{name.Replace(' ', '-')}.png";
        Heatmap.Write(Path.Combine(folder, file), name, values, [.. Enumerable.Range(0, maps.Layers).Select(layer => $"layer {layer}")], [.. Enumerable.Range(0, maps.Heads).Select(head => $"head {head}")], (0, 1));
        return file;
    }

    private static string Sheet(string folder, AttentionMaps maps, IReadOnlyList<HeadRole> roles, int layer)
    {
        using var scope = NewDisposeScope();
        var pictures = new List<Tensor>();
        var tokens = maps.Tokens.Count;
        var weights = maps.Weights[layer].to(float64);
        for (var head = 0; head < maps.Heads; head++)
        {
            var values = new double[tokens, tokens];
            var row = weights[head].data<double>().ToArray();
            Buffer.BlockCopy(row, 0, values, 0, row.Length * sizeof(double));
            var file = Path.Combine(folder, $"layer-{layer}-head-{head}.png");
            Heatmap.Write(file, $"layer {layer}, head {head}: {roles[layer * maps.Heads + head].Name}", values, maps.Tokens, maps.Tokens, (0, 1));
            pictures.Add(ImageFile.Load(file));
        }
        var sheet = $"layer-{layer}.png";
        PngFile.Write(Path.Combine(folder, sheet), ContactSheet.Compose(pictures, Columns));
        return sheet;
    }

    private static double Largest(HeadRole role) => role.Shares.Max(pair => double.IsNaN(pair.Share) ? 0 : pair.Share);

    private static string[] Row(HeadRole role) =>
        [$"{role.Layer}", $"{role.Head}", role.Name, Share(role.Previous), Share(role.Next), Share(role.Self), Share(role.Delimiter), Share(role.SameWord), Share(role.Entropy)];

    private static string Share(double value) => double.IsNaN(value) ? "" : value.ToString("0.00", CultureInfo.InvariantCulture);
}
