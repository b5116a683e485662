using Bruma.Nn;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

/// <summary>Makes of time, class and added conditions the one vector that all residual blocks see. Its modules are registered by the network that owns it.</summary>
internal sealed class ConditionEmbedding(UNet2DConditionConfig config, Device? device)
{
    public TimestepEmbedding Time { get; } = new(config.BlockOutChannels[0], config.TimeWidth, device, config.TimeCondProjDim, config.ActFn);

    public Module<Tensor, Tensor>? Classes { get; } = config switch
    {
        { ClassEmbedType: "timestep" } => new TimestepEmbedding(config.BlockOutChannels[0], config.TimeWidth, device, activation: config.ActFn),
        { ClassEmbedType: "projection" } => new TimestepEmbedding(config.ProjectionClassEmbeddingsInputDim!.Value, config.TimeWidth, device),
        { ClassEmbedType: "simple_projection" } => Linear(config.ProjectionClassEmbeddingsInputDim!.Value, config.TimeWidth, device: device),
        { ClassEmbedType: null, NumClassEmbeds: { } classes } => Embedding(classes, config.TimeWidth, device: device),
        _ => null,
    };

    public TimestepEmbedding? Added { get; } =
        config.HasAddedConditions ? new TimestepEmbedding(config.ProjectionClassEmbeddingsInputDim!.Value, config.TimeWidth, device) : null;

    /// <param name="times">[B].</param>
    /// <returns>[B, T].</returns>
    /// <exception cref="BrumaException">A condition is missing, or given to a network that has none of its kind.</exception>
    public Tensor Embed(Tensor times, UNetConditioning conditioning, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var encoded = Encode(times).to(dtype);
        if (conditioning.TimestepCond is { } guidance)
            encoded = Time.AddCondition(encoded, guidance.to(dtype));
        var embedding = Time.call(encoded);
        embedding = AddClasses(embedding, conditioning.ClassLabels, dtype);
        return AddConditions(embedding, conditioning, dtype).MoveToOuterDisposeScope();
    }

    private Tensor AddClasses(Tensor embedding, Tensor? labels, ScalarType dtype)
    {
        if (!config.HasClasses)
            return labels is null ? embedding : throw new BrumaException("The network has no classes (\"num_class_embeds\" is null) but class labels were given; leave them out.");
        if (labels is null)
            throw new BrumaException("The network is class-conditional (\"num_class_embeds\" or \"class_embed_type\") but no class labels were given.");
        var classes = config.ClassEmbedType switch
        {
            "timestep" => Encode(labels).to(dtype),
            null => labels,
            _ => labels.to(dtype),
        };
        classes = (Classes is null ? classes : Classes.call(classes)).to(dtype);
        return config.ClassEmbeddingsConcat ? cat([embedding, classes], -1) : embedding + classes;
    }

    private Tensor AddConditions(Tensor embedding, UNetConditioning conditioning, ScalarType dtype)
    {
        if (Added is null)
            return embedding;
        if (conditioning is not { TextEmbeds: { } text, TimeIds: { } sizes })
            throw new BrumaException("The network has SDXL's added conditions (\"addition_embed_type\" is \"text_time\") but no pooled text and sizes were given.");
        var encoded = TimeEncoding.Sinusoidal(sizes.flatten(), config.AdditionTimeEmbedDim!.Value, config.FlipSinToCos, config.FreqShift).reshape(text.shape[0], -1);
        var all = cat([text.to(float32), encoded], -1); // [B, P + 6 E]
        if (all.shape[^1] != config.ProjectionClassEmbeddingsInputDim)
            throw new BrumaException($"Pooled text of width {text.shape[^1]} and {sizes.shape[^1]} sizes make {all.shape[^1]} numbers where the network takes {config.ProjectionClassEmbeddingsInputDim}; SDXL's base takes 6 sizes, its refiner 5.");
        return embedding + Added.call(all.to(dtype));
    }

    private Tensor Encode(Tensor times) => TimeEncoding.Sinusoidal(times, config.BlockOutChannels[0], config.FlipSinToCos, config.FreqShift);
}
