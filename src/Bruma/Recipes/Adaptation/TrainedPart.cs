using Bruma.Adapters;
using Bruma.Hub;
using Bruma.Nn;
using Bruma.StableDiffusion;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Adaptation;

/// <summary>What a run trains of a base, and the files that it becomes.</summary>
internal abstract class TrainedPart(AdaptationOptions options, BaseModel model) : IDisposable
{
    protected AdaptationOptions Options { get; } = options;

    protected BaseModel Model { get; } = model;

    /// <summary>Holds the parameters that the trainer optimizes.</summary>
    public abstract Module Network { get; }

    /// <summary>Whether the text encoders change, so that captions are encoded anew at every step.</summary>
    public virtual bool ChangesText => Options.TrainTextEncoder;

    /// <summary>The network beside the base that is trained to steer it; null for what changes the base itself.</summary>
    public virtual ControlNetModel? Control => null;

    /// <summary>What it is, for people.</summary>
    public abstract string Description { get; }

    /// <param name="values">Weights by parameter, fp32.</param>
    /// <returns>The files written, for people.</returns>
    public abstract IEnumerable<string> Write(string folder, IReadOnlyDictionary<string, Tensor> values, AdaptationNotes notes);

    public void Dispose()
    {
        if (OwnsNetwork)
            Network.Dispose();
    }

    /// <summary>Whether the network is this object's and not the base's.</summary>
    protected virtual bool OwnsNetwork => true;

    public static TrainedPart Create(AdaptationOptions options, BaseModel model)
    {
        using var random = HashedSeed.At(options.Seed, 0);
        return options.Recipe == AdaptationOptions.ControlNet ? new TrainedControl(options, model, random)
            : options.Recipe == AdaptationOptions.TextualInversion ? new TrainedWord(options, model)
            : options.Rank > 0 ? new TrainedLora(options, model, random)
            : new TrainedWeights(options, model);
    }
}

/// <summary>Low-rank updates of the U-Net and, where asked for, the text encoders.</summary>
internal sealed class TrainedLora : TrainedPart
{
    private readonly LoraNetwork _lora;

    public TrainedLora(AdaptationOptions options, BaseModel model, Generator random) : base(options, model)
    {
        var targets = new List<LoraTargets> { new("unet", model.Network, options.Targets ?? LoraTargets.Attention) };
        if (options.TrainTextEncoder)
            targets.AddRange(model.Components.Where(part => part.Key != "unet").Select(part => new LoraTargets(part.Key, part.Value, LoraTargets.TextAttention)));
        _lora = new LoraNetwork(targets, new LoraOptions(options.Rank, options.Alpha, options.LoraDropout, options.UseDora), random);
    }

    public override Module Network => _lora;

    public override string Description => FormattableString.Invariant($"{(Options.UseDora ? "DoRA" : "LoRA")} of rank {Options.Rank}, alpha {Options.Alpha ?? Options.Rank}, on {_lora.Updates().Count} layers ({string.Join(", ", Options.Targets ?? LoraTargets.Attention)}{(Options.TrainTextEncoder ? ", text encoders" : "")})");

    public override IEnumerable<string> Write(string folder, IReadOnlyDictionary<string, Tensor> values, AdaptationNotes notes)
    {
        var updates = _lora.Updates(values);
        var (diffusers, kohya) = (Path.Combine(folder, "pytorch_lora_weights.safetensors"), Path.Combine(folder, "kohya.safetensors"));
        LoraWriter.WriteDiffusers(diffusers, updates, notes.Settings);
        LoraWriter.WriteKohya(kohya, updates, notes.Kohya(Model.Prompts.Encoders.Count > 1));
        yield return $"LoRA: {diffusers} (diffusers, PEFT) and {kohya} (kohya, A1111)";
    }
}

/// <summary>One new word of the text encoder.</summary>
internal sealed class TrainedWord : TrainedPart
{
    private readonly LearnedVectors _vectors;

    public TrainedWord(AdaptationOptions options, BaseModel model) : base(options, model)
    {
        var encoder = model.Prompts.Encoders[0];
        if (model.Prompts.Encoders.Count > 1)
            throw new BrumaException($"{model.Sources.Folder}: has two text encoders; textual inversion is trained for Stable Diffusion 1.x and 2.x, use bruma train lora for XL.");
        var table = (TorchSharp.Modules.Embedding)encoder.Network.named_modules().First(pair => pair.name.EndsWith("token_embedding", StringComparison.Ordinal)).module;
        var known = encoder.Prompts.Read(options.InitializerToken!, default)[0].Ids.Skip(1).TakeWhile(id => id != encoder.Prompts.EndId).ToList();
        if (known is not [var initial])
            throw new BrumaException($"--initializer-token {options.InitializerToken}: is {known.Count} tokens of the vocabulary where one is needed; choose a simpler word.");
        using var start = table.weight![initial].detach().clone().unsqueeze(0);
        encoder.AddToken(options.PlaceholderToken!, start.expand(options.Vectors, -1));
        var ids = encoder.Prompts.Read(options.PlaceholderToken!, default)[0].Ids.Skip(1).Take(options.Vectors).Select(id => (long)id).ToList();
        _vectors = new LearnedVectors(table, ids, start);
    }

    public override Module Network => _vectors;

    public override bool ChangesText => true;

    public override string Description => $"{Options.Vectors} vector{(Options.Vectors == 1 ? "" : "s")} for the new word {Options.PlaceholderToken}, begun from \"{Options.InitializerToken}\"";

    public override IEnumerable<string> Write(string folder, IReadOnlyDictionary<string, Tensor> values, AdaptationNotes notes)
    {
        var vectors = values["vectors"];
        var (diffusers, a1111) = (Path.Combine(folder, "learned_embeds.safetensors"), Path.Combine(folder, "learned_embeds_a1111.safetensors"));
        TextualInversionFile.WriteDiffusers(diffusers, Options.PlaceholderToken!, vectors, notes.Settings);
        TextualInversionFile.WriteA1111(a1111, vectors, new Dictionary<string, string>(notes.Settings) { ["name"] = Options.PlaceholderToken! });
        yield return $"word vectors: {diffusers} (diffusers) and {a1111} (A1111)";
    }
}

/// <summary>The weights themselves: of the U-Net and, where asked for, the text encoders.</summary>
internal sealed class TrainedWeights : TrainedPart
{
    private readonly Module _network;

    public TrainedWeights(AdaptationOptions options, BaseModel model) : base(options, model)
    {
        var parts = model.Components.Where(part => part.Key == "unet" || options.TrainTextEncoder).ToList();
        foreach (var parameter in parts.SelectMany(part => part.Value.parameters()))
            parameter.requires_grad_(true);
        _network = new NamedParts(parts);
    }

    public override Module Network => _network;

    public override string Description => Options.TrainTextEncoder ? "all weights of the U-Net and the text encoders" : "all weights of the U-Net";

    public override IEnumerable<string> Write(string folder, IReadOnlyDictionary<string, Tensor> values, AdaptationNotes notes)
    {
        PipelineCopy.Write(Model, folder, values);
        AtomicFile.WriteText(Path.Combine(folder, "training.json"), notes.ToJson());
        yield return $"model: {folder}";
    }

    protected override bool OwnsNetwork => false;

    private sealed class NamedParts : Module
    {
        public NamedParts(IEnumerable<KeyValuePair<string, Module>> parts) : base(nameof(NamedParts))
        {
            foreach (var (name, part) in parts)
                register_module(name, part);
        }
    }
}
