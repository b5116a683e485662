using Bruma.Hub;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>The names of text encoders in single-file checkpoints.</summary>
internal static class OpenClipNames
{
    private static readonly (string Mine, string Theirs)[] Modules =
    [
        ("text_model.embeddings.token_embedding", "token_embedding"), ("text_model.final_layer_norm", "ln_final"), ("text_model.encoder.layers.", "transformer.resblocks."),
        (".layer_norm1.", ".ln_1."), (".layer_norm2.", ".ln_2."), (".self_attn.out_proj.", ".attn.out_proj."), (".mlp.fc1.", ".mlp.c_fc."), (".mlp.fc2.", ".mlp.c_proj."),
    ];

    private static readonly string[] Projections = ["q_proj", "k_proj", "v_proj"];

    /// <summary>Where the parameters of an encoder lie below its prefix.</summary>
    public static Dictionary<string, TensorPart> Of(EncoderLayout layout)
    {
        using Module network = layout.IsProjected ? new ClipTextModelWithProjection(layout.Config, new Device(TorchSharp.DeviceType.META)) : new ClipTextModel(layout.Config, new Device(TorchSharp.DeviceType.META));
        return ModuleWeights.Keys(network).ToDictionary(name => name, name => layout.IsOpenClip ? Part(name) : new TensorPart(layout.IsBare ? name.Replace("text_model.", "", StringComparison.Ordinal) : name), StringComparer.Ordinal);
    }

    private static TensorPart Part(string name)
    {
        if (name == "text_projection.weight")
            return new TensorPart("text_projection", TensorForm.Transposed);
        if (name == "text_model.embeddings.position_embedding.weight")
            return new TensorPart("positional_embedding");
        var theirs = Modules.Aggregate(name, (result, pair) => result.Replace(pair.Mine, pair.Theirs, StringComparison.Ordinal));
        for (var i = 0; i < Projections.Length; i++)
            if (theirs.Contains($".self_attn.{Projections[i]}.", StringComparison.Ordinal))
                return new TensorPart(theirs.Replace($".self_attn.{Projections[i]}.", ".attn.in_proj_", StringComparison.Ordinal), TensorForm.Third, i);
        return new TensorPart(theirs);
    }
}
