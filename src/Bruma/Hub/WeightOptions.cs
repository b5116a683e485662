namespace Bruma.Hub;

/// <summary>How the names of a checkpoint and of a module may differ.</summary>
/// <param name="Rename">The module's name for a stored name that the module does not know; null when the stored tensor is to be ignored.</param>
/// <param name="Ignore">Says of a stored tensor that nothing in the module asks for whether it may be left out.</param>
/// <param name="Tied">Names in the module whose value, where the file lacks it, is that of another name (output layers tied to embeddings).</param>
public sealed record WeightOptions(Func<string, string?>? Rename = null, Func<string, bool>? Ignore = null, IReadOnlyDictionary<string, string>? Tied = null)
{
    private static readonly (string Old, string New)[] AttentionNames = [(".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0.")];

    /// <summary>The first names of the autoencoder's attention layers: query, key, value, proj_attn for to_q, to_k, to_v, to_out.0.</summary>
    public static WeightOptions FirstAttentionNames { get; } = new(name => AttentionNames.Aggregate(name, (result, pair) => result.Replace(pair.Old, pair.New, StringComparison.Ordinal)));
}
