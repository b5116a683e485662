using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Calls the transformers and names what they give as the cases do.</summary>
internal static class TransformerOutputs
{
    public static Dictionary<string, Tensor> Of(Module network, Dictionary<string, Tensor> inputs, GoldenCase golden) => network switch
    {
        ClipTextModel text => Named(text.call(inputs["input_ids"], inputs.GetValueOrDefault("attention_mask")), "pooler_output"),
        ClipTextModelWithProjection text => Named(text.call(inputs["input_ids"], inputs.GetValueOrDefault("attention_mask")), "text_embeds"),
        ClipVisionModel vision => Named(vision.call(inputs["pixel_values"]), "pooler_output"),
        ClipVisionModelWithProjection vision => Named(vision.call(inputs["pixel_values"]), "image_embeds"),
        ClipModel clip => Similarities(clip.call(inputs["input_ids"], inputs["pixel_values"], inputs.GetValueOrDefault("attention_mask"))),
        BertModel bert => Named(bert.call(inputs["input_ids"], Pass(inputs)), "pooler_output"),
        DistilBertModel bert => Named(bert.call(inputs["input_ids"], Pass(inputs)), "pooler_output"),
        BertForSequenceClassification bert => Classified(bert.call(inputs["input_ids"], Pass(inputs)), inputs, bert.Config.ProblemType),
        DistilBertForSequenceClassification bert => Classified(bert.call(inputs["input_ids"], Pass(inputs)), inputs, bert.Config.ProblemType),
        ViTModel vit => Named(vit.call(inputs["pixel_values"], true), "pooler_output"),
        ViTForImageClassification vit => Classified(vit.call(inputs["pixel_values"], true), inputs, vit.Config.ProblemType),
        ILanguageModel model => LanguageModelOutputs.OfLanguageModel(model, inputs, golden),
        T5ForConditionalGeneration model => LanguageModelOutputs.OfT5(model, inputs, golden),
        _ => throw new UnknownCaseException($"class {network.GetName()} of {golden.Id}"),
    };

    private static Dictionary<string, Tensor> Named(TransformerOutput output, string pooled)
    {
        var named = new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["last_hidden_state"] = output.LastHiddenState, ["embeddings"] = output.HiddenStates[0] };
        if (output.Pooled is not null)
            named[pooled] = output.Pooled;
        if (output.HiddenStates.Count > 1)
            named["penultimate"] = output.HiddenStates[^2];
        if (output.Attentions.Count > 0)
            named["attentions"] = stack(output.Attentions);
        for (var i = 0; i < output.HiddenStates.Count; i++)
            named[$"hidden_states.{i}"] = output.HiddenStates[i];
        return named;
    }

    private static TextPass Pass(Dictionary<string, Tensor> inputs) => new(inputs.GetValueOrDefault("attention_mask"), inputs.GetValueOrDefault("token_type_ids"), inputs.GetValueOrDefault("position_ids"), KeepWeights: true);

    /// <summary>Here the last hidden state is the last layer's, without the final norm.</summary>
    private static Dictionary<string, Tensor> Classified(ClassifierOutput output, Dictionary<string, Tensor> inputs, string? problemType)
    {
        var named = Named(new TransformerOutput(output.HiddenStates[^1], null, output.HiddenStates, output.Attentions), "pooler_output");
        named["logits"] = output.Logits;
        if (inputs.TryGetValue("labels", out var labels))
            named["loss"] = Classification.Loss(output.Logits, labels, problemType);
        return named;
    }

    private static Dictionary<string, Tensor> Similarities(ClipOutput output) => new(StringComparer.Ordinal)
    {
        ["logits_per_image"] = output.LogitsPerImage,
        ["logits_per_text"] = output.LogitsPerImage.t(),
        ["image_embeds"] = output.ImageEmbeds,
        ["text_embeds"] = output.TextEmbeds,
    };
}
