using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Bruma.StableDiffusion;
using Bruma.Text;

namespace Bruma.Cli.Generation;

/// <summary>The flags of <c>bruma generate</c>.</summary>
internal sealed partial class GenerateOptions
{
    private readonly Argument<string?> _prompt = new("prompt") { Description = "Text to draw; only models with a text encoder take one.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _promptOption = new("--prompt") { Description = "The same as the first argument." };
    private readonly Option<string?> _negative = new("--negative-prompt") { Description = "What to steer away from." };
    private readonly Option<string?> _prompt2 = new("--prompt-2") { Description = "Prompt of SDXL's second encoder (default: the same)." };
    private readonly Option<string?> _negative2 = new("--negative-prompt-2") { Description = "Negative prompt of SDXL's second encoder (default: the same)." };
    private readonly Option<string?> _style = new("--style") { Description = "Style of a model that has some; the one that comes with Bruma: noto, blob, twemoji, fluent, flat, 3d, firefox, emojione." };
    private readonly Option<string?> _class = new("--class") { Description = "Name or index of the class to draw, for models with classes." };
    private readonly Option<string?> _model = new("--model") { Description = "Model folder, single file, hf:ORG/NAME[@REV], a run's folder, or the name of a model that comes with Bruma." };
    private readonly Option<int?> _width = new("--width") { Description = "Pixels, a multiple of 8 (default: the model's, or the start picture's)." };
    private readonly Option<int?> _height = new("--height") { Description = "Pixels, a multiple of 8." };
    private readonly Option<string?> _size = new("--size") { Description = "Both at once, as in 768x512." };
    private readonly Option<int> _count = new("--count") { Description = "Number of pictures; picture i has seed + i.", DefaultValueFactory = _ => 1 };
    private readonly Option<int?> _steps = new("--steps") { Description = "Denoising steps (default: the model's own, else 20)." };
    private readonly Option<double?> _guidance = new("--guidance-scale") { Description = "Classifier-free guidance; 1 is none (default: the model's own, else 7)." };
    private readonly Option<double> _rescale = new("--guidance-rescale") { Description = "Share of the guided picture that is brought back to the unguided one's contrast, 0 to 1." };
    private readonly Option<string[]> _scheduler = new("--scheduler") { Description = "Algorithm (euler, ddim, dpm++2m, unipc, ...), noise levels (karras, exponential, beta), or both, as in \"DPM++ 2M Karras\" (default: the model's own)." };
    private readonly Option<string?> _prediction = new("--prediction") { Description = "What the network predicts: epsilon or v (default: as the model's files say)." };
    private readonly Option<long?> _seed = new("--seed") { Description = "Seed of the first picture (default, or below 0: drawn and printed)." };
    private readonly Option<double?> _eta = new("--eta") { Description = "Share of fresh noise of DDIM and TCD, 0 to 1 (default 0)." };
    private readonly Option<double?> _truncation = new("--truncation") { Description = "For GANs: noise within this many standard deviations; smaller is more typical and less varied." };
    private readonly Option<string> _rng = new("--rng") { Description = "Random numbers: cpu (seeds of diffusers and ComfyUI) or cuda (seeds of A1111 and stable-diffusion.cpp).", DefaultValueFactory = _ => "cpu" };
    private readonly Option<long?> _variationSeed = new("--variation-seed") { Description = "Seed of noise to mix into the start noise; with it pictures differ by this seed only." };
    private readonly Option<double> _variationStrength = new("--variation-strength") { Description = "How much of it, 0 to 1.", DefaultValueFactory = _ => 0.1 };
    private readonly Option<string?> _image = new("--image") { Description = "Picture to start from." };
    private readonly Option<double?> _strength = new("--strength") { Description = "How far from it, 0 to 1 (default: 0.75, with a mask 1)." };
    private readonly Option<string?> _mask = new("--mask") { Description = "Mask of the picture's size, white where to draw anew." };
    private readonly Option<double?> _imageGuidance = new("--image-guidance-scale") { Description = "How closely InstructPix2Pix keeps to the picture (default: 1.5)." };
    private readonly Option<string[]> _control = new("--control") { Description = "ControlNet folder; may be given several times, each with its --control-image." };
    private readonly Option<string[]> _controlImage = new("--control-image") { Description = "What the ControlNet sees: edges, depth, a pose." };
    private readonly Option<double[]> _controlStrength = new("--control-strength") { Description = "Factor of its influence (default: 1)." };
    private readonly Option<double[]> _controlStart = new("--control-start") { Description = "Share of the steps before which it is silent (default: 0)." };
    private readonly Option<double[]> _controlEnd = new("--control-end") { Description = "Share of the steps after which it is silent (default: 1)." };
    private readonly Option<bool> _guess = new("--guess-mode") { Description = "ControlNets recognise the picture without the prompt's help." };
    private readonly Option<string[]> _lora = new("--lora") { Description = "Adapter: a run, a file, or the name of one that comes with Bruma or lies in --lora-model-dir; with :0.8 behind it for its weight. May be given several times." };
    private readonly Option<string?> _loraFolder = new("--lora-model-dir") { Description = "Folder of adapters that --lora and <lora:name:weight> find by name." };
    private readonly Option<string[]> _embedding = new("--embedding") { Description = "Learned word (textual inversion): a run or a file, with =WORD behind it to name it otherwise. May be given several times." };
    private readonly Option<int> _clipSkip = new("--clip-skip") { Description = "Which layer of the text encoder counts, from its end, as in A1111: 1 the last, 2 the one before.", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _syntax = new("--prompt-syntax") { Description = "a1111: weights as in (word:1.3) and [word], BREAK, long prompts in windows; plain: as diffusers reads, brackets are text and 75 tokens count.", DefaultValueFactory = _ => "a1111" };
    private readonly Option<string?> _precision = new("--precision") { Description = "bf16 or fp32 (default: by the CPU)." };
    private readonly Option<int> _threads = new("--threads") { Description = "Threads (default: all processors)." };
    private readonly Option<bool> _hires = new("--hires") { Description = "A second pass over the enlarged picture." };
    private readonly Option<double> _hiresScale = new("--hires-scale") { Description = "How much larger.", DefaultValueFactory = _ => 2 };
    private readonly Option<double> _hiresStrength = new("--hires-strength") { Description = "How far the second pass may go from the first, 0 to 1.", DefaultValueFactory = _ => 0.7 };
    private readonly Option<int?> _hiresSteps = new("--hires-steps") { Description = "Steps of the second pass (default: as many as in the first)." };
    private readonly Option<string> _hiresUpscaler = new("--hires-upscaler") { Description = "What is enlarged: latent or pixels (Lanczos).", DefaultValueFactory = _ => "latent" };
    private readonly Option<bool> _tiling = new("--tiling") { Description = "Decode and encode in tiles: memory does not grow with the picture." };
    private readonly Option<string?> _refiner = new("--refiner") { Description = "SDXL's refiner, which goes on where the base model stops." };
    private readonly Option<double> _refinerStart = new("--refiner-start") { Description = "Share of the noise that the base model takes away.", DefaultValueFactory = _ => 0.8 };
    private readonly Option<string?> _vae = new("--vae") { Description = "Folder of another autoencoder." };
    private readonly Option<string?> _preview = new("--preview") { Description = "Write a picture of what it will be every N steps." };
    private readonly Option<string> _previewPath = new("--preview-path") { Description = "Where to.", DefaultValueFactory = _ => "preview.png" };
    private readonly Option<int> _previewEvery = new("--preview-interval") { Description = "N of --preview, where that names a method as in stable-diffusion.cpp.", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _output;
    private readonly Option<int> _firstIndex = new("--output-begin-idx") { Description = "Number of the first file.", DefaultValueFactory = _ => 1 };
    private readonly Option<bool> _noMetadata = new("--no-metadata") { Description = "Leave prompt and settings out of the file." };
    private readonly Option<bool> _json = new("--json") { Description = "Print the result as JSON." };

    /// <param name="output">Default name of the file to write.</param>
    public GenerateOptions(string output = "output.png") => _output = new("--output", "-o")
    {
        Description = "File to write: one picture or a contact sheet; with %d or %03d (number) or {seed} in the name a file per picture.",
        DefaultValueFactory = _ => output,
    };

    public void AddTo(Command command)
    {
        command.Add(_prompt);
        foreach (var option in new Option[]
        {
            _promptOption, _negative, _prompt2, _negative2, _style, _class, _model, _width, _height, _size, _count, _steps, _guidance, _rescale, _scheduler, _prediction, _seed, _eta, _truncation, _rng, _variationSeed, _variationStrength,
            _image, _strength, _mask, _imageGuidance, _control, _controlImage, _controlStrength, _controlStart, _controlEnd, _guess, _lora, _loraFolder, _embedding, _clipSkip, _syntax, _precision, _threads,
            _hires, _hiresScale, _hiresStrength, _hiresSteps, _hiresUpscaler, _tiling, _refiner, _refinerStart, _vae, _preview, _previewPath, _previewEvery, _output, _firstIndex, _noMetadata, _json,
        })
            command.Add(option);
    }

    public GenerateArguments Read(ParseResult parsed)
    {
        var (width, height) = Size(parsed.GetValue(_size));
        var arguments = new GenerateArguments(parsed.GetValue(_prompt) ?? parsed.GetValue(_promptOption), parsed.GetValue(_class), parsed.GetValue(_model))
        {
            NegativePrompt = parsed.GetValue(_negative),
            Style = parsed.GetValue(_style),
            Prompt2 = parsed.GetValue(_prompt2),
            NegativePrompt2 = parsed.GetValue(_negative2),
            Width = parsed.GetValue(_width) ?? width,
            Height = parsed.GetValue(_height) ?? height,
            Count = parsed.GetValue(_count),
            Steps = parsed.GetValue(_steps),
            GuidanceScale = parsed.GetValue(_guidance),
            GuidanceRescale = parsed.GetValue(_rescale),
            Scheduler = parsed.GetValue(_scheduler) is { Length: > 0 } names ? string.Join(' ', names) : null,
            Prediction = parsed.GetValue(_prediction),
            Seed = parsed.GetValue(_seed) is >= 0 and var seed ? seed : Random.Shared.Next(),
            Eta = parsed.GetValue(_eta),
            Truncation = parsed.GetValue(_truncation),
            Random = Choice("--rng", parsed.GetValue(_rng)!, ("cpu", RandomSource.Cpu), ("cuda", RandomSource.Cuda), ("gpu", RandomSource.Cuda)),
            Variation = parsed.GetValue(_variationSeed) is { } variation ? new Variation(variation, parsed.GetValue(_variationStrength)) : null,
            Pictures = new PictureArguments(parsed.GetValue(_image), parsed.GetValue(_mask), parsed.GetValue(_strength), parsed.GetValue(_imageGuidance)),
            Controls = Controls(parsed),
            GuessMode = parsed.GetValue(_guess),
            Loras = parsed.GetValue(_lora) ?? [],
            LoraFolder = parsed.GetValue(_loraFolder),
            Embeddings = parsed.GetValue(_embedding) ?? [],
            ClipSkip = Math.Max(0, parsed.GetValue(_clipSkip) - 1),
            Syntax = Choice("--prompt-syntax", parsed.GetValue(_syntax)!, ("a1111", PromptSyntax.A1111), ("plain", PromptSyntax.Plain)),
            Precision = Native.Precision(parsed.GetValue(_precision)),
            Threads = parsed.GetValue(_threads),
            HighResolution = parsed.GetValue(_hires) ? HighResolution(parsed) : null,
            Tiling = parsed.GetValue(_tiling),
            Refiner = parsed.GetValue(_refiner) is { } refiner ? (refiner, parsed.GetValue(_refinerStart)) : null,
            Autoencoder = parsed.GetValue(_vae),
            Preview = Preview(parsed),
            Output = parsed.GetValue(_output)!,
            FirstIndex = parsed.GetValue(_firstIndex),
            Metadata = !parsed.GetValue(_noMetadata),
            Json = parsed.GetValue(_json),
        };
        GenerateChecks.Check(arguments);
        return arguments;
    }

    private HighResolution HighResolution(ParseResult parsed) => new(
        parsed.GetValue(_hiresScale), parsed.GetValue(_hiresStrength), parsed.GetValue(_hiresSteps), Choice("--hires-upscaler", parsed.GetValue(_hiresUpscaler)!, ("latent", false), ("pixels", true), ("lanczos", true)));

    private List<ControlArguments> Controls(ParseResult parsed)
    {
        var (models, images) = (parsed.GetValue(_control) ?? [], parsed.GetValue(_controlImage) ?? []);
        if (models.Length != images.Length)
            throw new UsageException($"there are {models.Length} --control and {images.Length} --control-image; give one picture for each ControlNet.");
        return [.. models.Select((model, i) => new ControlArguments(model, images[i], Of(_controlStrength, i, 1), Of(_controlStart, i, 0), Of(_controlEnd, i, 1)))];

        double Of(Option<double[]> option, int i, double missing) => parsed.GetValue(option) is { } values && i < values.Length ? values[i] : missing;
    }

    private PreviewArguments? Preview(ParseResult parsed)
    {
        if (parsed.GetValue(_preview) is not { } asked || asked == "none")
            return null;
        var path = parsed.GetValue(_previewPath)!;
        if (int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var every) && every > 0)
            return new PreviewArguments(every, path);
        if (asked is "vae" or "tae" or "proj")
            return new PreviewArguments(Math.Max(1, parsed.GetValue(_previewEvery)), path);
        throw new UsageException($"--preview {asked}: must be a number of steps.");
    }

    private static (int? Width, int? Height) Size(string? text)
    {
        if (text is null)
            return (null, null);
        var match = Sides().Match(text);
        return match.Success
            ? (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))
            : throw new UsageException($"--size {text}: must be WIDTHxHEIGHT, such as 768x512.");
    }

    private static T Choice<T>(string flag, string text, params (string Name, T Value)[] choices)
    {
        foreach (var (name, value) in choices)
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
                return value;
        throw new UsageException($"{flag} {text}: must be {string.Join(" or ", choices.Take(2).Select(choice => choice.Name))}.");
    }

    [GeneratedRegex("^([0-9]{1,5})[xX×*]([0-9]{1,5})$")]
    private static partial Regex Sides();
}
