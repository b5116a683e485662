using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>A Stable Diffusion checkpoint in one file (<c>.safetensors</c>, <c>.ckpt</c>), in the layout of the original code. Everything that it does not say comes with Bruma: no network is asked.</summary>
public sealed class SingleFile : IDisposable
{
    private const string Wrapper = "state_dict.";

    private readonly ITensorSource _source;
    private readonly string? _configs;

    private SingleFile(ITensorSource source, string? configs)
    {
        (_source, _configs) = (source, configs);
        Family = FamilyDetection.Detect(source);
        UNetConfig = configs is null ? Fitted(Family.UNet) : UNet2DConditionModel.ReadConfig(Path.Combine(configs, "unet"));
        AutoencoderConfig = configs is null ? Family.Autoencoder : AutoencoderKl.ReadConfig(Path.Combine(configs, "vae"));
        Components = [.. new[] { "unet", "vae", "text_encoder", "text_encoder_2" }.Where(HasWeights)];
    }

    public ModelFamily Family { get; }

    public UNet2DConditionConfig UNetConfig { get; }

    public AutoencoderKlConfig AutoencoderConfig { get; }

    /// <summary>The networks that the file holds, by diffusers' names: <c>unet</c>, <c>vae</c>, <c>text_encoder</c>, <c>text_encoder_2</c>.</summary>
    public IReadOnlyList<string> Components { get; }

    /// <summary>All that the file holds, under its own names.</summary>
    public ITensorSource Stored => _source;

    /// <summary>Whether the path is a file of weights rather than a folder.</summary>
    public static bool Is(string path) => File.Exists(path);

    /// <param name="configs">A folder with <c>unet/config.json</c>, <c>vae/config.json</c> and so on, for networks of other sizes than the family's; null for the family's own.</param>
    /// <exception cref="BrumaException">The file is missing, damaged, or of a family that Bruma does not know.</exception>
    public static SingleFile Open(string path, string? configs = null)
    {
        var source = Unwrapped(CheckpointFile.Open(path));
        try
        {
            return new SingleFile(source, configs);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    public bool Has(string component) => Components.Contains(component);

    /// <summary>A network's weights under the names of diffusers and transformers.</summary>
    /// <exception cref="BrumaException">The file does not hold the network, or its U-Net is of another width than the family's or the given configs.</exception>
    public ITensorSource Weights(string component)
    {
        if (!Has(component))
            throw new BrumaException($"{_source.Origin}: holds no {component}; it has {string.Join(", ", Components)}. Take the complete checkpoint.");
        if (UNetExtent("input_blocks.0.0.weight", 0) is { } width && width != UNetConfig.BlockOutChannels[0])
            throw new BrumaException($"{_source.Origin}: is laid out as {Family.Title}, but its U-Net begins with {width} channels where {(_configs is null ? "that has" : $"{_configs} says")} {UNetConfig.BlockOutChannels[0]}; give the configs of its own networks (bruma models convert FILE --configs DIR --output DIR).");
        return new DerivedTensors(_source, Parts(component), $"{_source.Origin} ({component})");
    }

    /// <summary>Where the parameters of a network are stored, by their names in diffusers and transformers.</summary>
    public IReadOnlyDictionary<string, TensorPart> Parts(string component) => component switch
    {
        "unet" => Prefixed(LdmNames.UNet(UNetConfig), FamilyDetection.UNetPrefix),
        "vae" => Prefixed(LdmNames.Autoencoder(AutoencoderConfig), FamilyDetection.AutoencoderPrefix),
        _ => Prefixed(OpenClipNames.Of(Layout(component)), Layout(component).Prefix),
    };

    public UNet2DConditionModel LoadUNet(ScalarType dtype = ScalarType.Float32) => DirectLoading.Load(device => new UNet2DConditionModel(UNetConfig, device), Weights("unet"), dtype);

    public AutoencoderKl LoadAutoencoder(ScalarType dtype = ScalarType.Float32) => DirectLoading.Load(device => new AutoencoderKl(AutoencoderConfig, device), Weights("vae"), dtype);

    /// <param name="component"><c>text_encoder</c>, or <c>text_encoder_2</c> where it is not projected.</param>
    public ClipTextModel LoadTextEncoder(string component, ScalarType dtype = ScalarType.Float32) =>
        DirectLoading.Load(device => new ClipTextModel(Layout(component).Config, device), Weights(component), dtype);

    /// <inheritdoc cref="LoadTextEncoder"/>
    public ClipTextModelWithProjection LoadProjectedTextEncoder(string component, ScalarType dtype = ScalarType.Float32) =>
        DirectLoading.Load(device => new ClipTextModelWithProjection(Layout(component).Config, device), Weights(component), dtype);

    /// <summary>The tokenizer of a text encoder, from the vocabulary that Bruma carries.</summary>
    /// <param name="component"><c>tokenizer</c> or <c>tokenizer_2</c>.</param>
    public Tokenizer LoadTokenizer(string component) => ClipVocabulary.Tokenizer(Layout(component.Replace("tokenizer", "text_encoder", StringComparison.Ordinal)).PadToken);

    /// <summary>The family's scheduler.</summary>
    /// <param name="prediction">What the network predicts, where the family's default is wrong: the weights of SD 2.x do not tell epsilon from v.</param>
    public SchedulerConfig Scheduler(PredictionType? prediction = null) => SchedulerConfig.Default(Family.Scheduler) with
    {
        BetaStart = 0.00085,
        BetaEnd = 0.012,
        BetaSchedule = BetaSchedule.ScaledLinear,
        PredictionType = prediction ?? (Family.Prediction == "v_prediction" || _source.Tensors.ContainsKey("v_pred") ? PredictionType.VPrediction : PredictionType.Epsilon),
        RescaleBetasZeroSnr = _source.Tensors.ContainsKey("ztsnr"), // a mark of fine-tunes with a noisier last step
        TimestepSpacing = TimestepSpacing.Leading,
        StepsOffset = 1,
        ClipSample = false,
        SetAlphaToOne = false,
        SkipPrkSteps = true,
    };

    /// <summary>Layout of a text encoder, with the config of the folder where one was given.</summary>
    public EncoderLayout Layout(string component)
    {
        var layout = Family.Encoders.FirstOrDefault(encoder => encoder.Component == component) ?? throw new BrumaException($"{_source.Origin}: {Family.Title} has no {component}.");
        var bare = layout.Prefix + "text_model."; // the oldest files leave the model's own name out
        if (!layout.IsOpenClip && !_source.Tensors.Keys.Any(name => name.StartsWith(bare, StringComparison.Ordinal)))
            layout = layout with { IsBare = true };
        return _configs is null ? layout : layout with { Config = ClipTextTransformer.ReadConfig(Path.Combine(_configs, component)) };
    }

    /// <summary>Types and shapes of all that the file holds below a network's prefix.</summary>
    public IReadOnlyList<TensorInfo> StoredTensorsOf(string component) =>
        [.. _source.Tensors.Where(tensor => tensor.Key.StartsWith(Prefix(component)!, StringComparison.Ordinal)).Select(tensor => tensor.Value)];

    public void Dispose() => _source.Dispose();

    private bool HasWeights(string component) => Prefix(component) is { } prefix && _source.Tensors.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal));

    private string? Prefix(string component) => component switch
    {
        "unet" => FamilyDetection.UNetPrefix,
        "vae" => FamilyDetection.AutoencoderPrefix,
        _ => Family.Encoders.FirstOrDefault(encoder => encoder.Component == component)?.Prefix,
    };

    /// <summary>What the shapes of a file of a known family say beyond the family: inpainting, InstructPix2Pix, latent consistency.</summary>
    private UNet2DConditionConfig Fitted(UNet2DConditionConfig config) => config with
    {
        InChannels = (int)(UNetExtent("input_blocks.0.0.weight", 1) ?? config.InChannels),
        OutChannels = (int)(UNetExtent("out.2.weight", 0) ?? config.OutChannels),
        TimeCondProjDim = (int?)UNetExtent("time_embed.cond_proj.weight", 1),
    };

    private long? UNetExtent(string name, int axis) => _source.Tensors.TryGetValue(FamilyDetection.UNetPrefix + name, out var info) && info.Shape.Length > axis ? info.Shape[axis] : null;

    /// <summary>Training programs store the weights as <c>state_dict</c> beside other things.</summary>
    private static ITensorSource Unwrapped(ITensorSource source) => source.Tensors.Keys.Any(name => name.StartsWith(Wrapper + FamilyDetection.UNetPrefix, StringComparison.Ordinal))
        ? new DerivedTensors(source, source.Tensors.Keys.Where(name => name.StartsWith(Wrapper, StringComparison.Ordinal)).ToDictionary(name => name[Wrapper.Length..], name => new TensorPart(name), StringComparer.Ordinal), owns: true)
        : source;

    private static Dictionary<string, TensorPart> Prefixed(Dictionary<string, TensorPart> parts, string prefix) =>
        parts.ToDictionary(part => part.Key, part => part.Value with { Stored = [.. part.Value.Stored.Select(name => prefix + name)] }, StringComparer.Ordinal);
}
