using Bruma.Nn;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Model cases without a folder: torch's own transformer, and fixed position encodings.</summary>
internal static class FolderlessModels
{
    private const string Weights = "weights.";

    public static readonly IReadOnlyDictionary<string, CaseRunner> All = new Dictionary<string, CaseRunner>(StringComparer.Ordinal)
    {
        ["torch.nn.Transformer"] = TorchTransformer,
        ["positional encodings"] = Positions,
    };

    private static void TorchTransformer(GoldenCase golden, CaseReport report)
    {
        var config = golden.Spec.GetProperty("config");
        using var network = new Transformer(new TransformerPlan(
            config.GetProperty("d_model").GetInt32(), config.GetProperty("nhead").GetInt32(), config.GetProperty("num_encoder_layers").GetInt32(), config.GetProperty("num_decoder_layers").GetInt32(),
            config.GetProperty("dim_feedforward").GetInt32(), Activation: config.TryGetProperty("activation", out var activation) ? activation.GetString()! : "relu",
            LayerNormEps: config.TryGetProperty("layer_norm_eps", out var eps) ? eps.GetDouble() : 1e-5, NormFirst: config.TryGetProperty("norm_first", out var first) && first.GetBoolean()));
        StoredWeights.Fill(network, golden, Weights);
        network.eval();
        using var still = no_grad();
        var output = network.call(golden.Tensor("src"), golden.Tensor("tgt"), golden.Has("tgt_mask") ? golden.Tensor("tgt_mask") : null);
        report.Compare(golden.Has("output") ? "output" : golden.Names().Single(name => !name.StartsWith(Weights, StringComparison.Ordinal) && name is not ("src" or "tgt" or "tgt_mask")), output);
    }

    private static void Positions(GoldenCase golden, CaseReport report)
    {
        var (theta, width, heads) = (golden.Spec.GetProperty("base").GetDouble(), golden.Spec.GetProperty("dim").GetInt32(), golden.Spec.GetProperty("heads").GetInt32());
        var (query, key) = (golden.Tensor("q"), golden.Tensor("k"));
        var rotation = RotaryFrequencies.Create((int)query.shape[^1], theta).At(arange(query.shape[^2]).unsqueeze(0));
        var alibi = golden.Tensor("alibi").shape;
        report.Compare("sinusoidal", PositionEncodings.Sinusoidal(arange(golden.Tensor("sinusoidal").shape[0]), width, theta));
        report.Compare("rope_q", rotation.Apply(query));
        report.Compare("rope_k", rotation.Apply(key));
        report.Compare("alibi", PositionEncodings.Alibi(heads, alibi[1], alibi[2]));
        foreach (var (name, cosineFirst, shift) in new[] { ("temb_default", false, 1.0), ("temb_flip", true, 0.0) })
            report.Compare(name, TimeEncoding.Sinusoidal(golden.Tensor("ts"), golden.Tensor(name).shape[^1], cosineFirst, shift));
    }
}

/// <summary>Weights that a case stores as tensors.</summary>
internal static class StoredWeights
{
    /// <summary>Fills every parameter from the tensor of its name behind the prefix.</summary>
    /// <exception cref="BrumaException">One is missing.</exception>
    public static void Fill(nn.Module network, GoldenCase golden, string prefix)
    {
        using var still = no_grad();
        foreach (var (name, parameter) in network.named_parameters())
            if (golden.Has(prefix + name))
                parameter.copy_(golden.Tensor(prefix + name));
            else
                throw new BrumaException($"{golden.Id}: stores no {prefix}{name}.");
    }
}
