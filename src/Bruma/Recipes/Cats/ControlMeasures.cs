using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary>What all controls are measured with: the adapted pipeline, the photos, the judge, and how samples are drawn and seen.</summary>
internal sealed class ControlMeasures(ControlOptions options, (StableDiffusionPipeline Pipeline, ImageRequest Request) trained, ReportPhotos photos, (FeatureExtraction Extraction, BreedJudge Judge) seeing, (string Output, CancellationToken Cancellation) place)
{
    public const int Side = 64;

    private const int Batch = 16;

    public ControlOptions Options => options;

    public StableDiffusionPipeline Pipeline => trained.Pipeline;

    public ReportPhotos Photos => photos;

    public BreedJudge Judge => seeing.Judge;

    public string Output => place.Output;

    /// <summary>Names of the classes as captions have them.</summary>
    public IReadOnlyList<string> Breeds { get; } = [.. seeing.Judge.Classes.Select(name => name.Replace('_', ' ').ToLowerInvariant())];

    /// <summary>The class of a picture, where the classes take turns.</summary>
    public string Breed(int picture) => Breeds[picture % Breeds.Count];

    /// <summary>Settings of the model itself, unless other steps were asked for.</summary>
    public ImageRequest Request { get; } = trained.Request with { Steps = options.Steps ?? trained.Request.Steps };

    /// <summary>"a photo of a bengal cat", with a word before the breed where one is given.</summary>
    public string Prompt(int picture, string? word = null) => $"a photo of {EmojiGrammar.WithArticle($"{(word is null ? "" : $"{word} ")}{Breed(picture)}")} cat";

    /// <summary>Draws a setting's pictures, classes in turn, into a folder of the output.</summary>
    /// <param name="prompt">Of picture i.</param>
    public ImageFolder Draw(string name, int count, Func<int, string> prompt, ImageRequest? request = null)
    {
        var folder = Path.Combine(Output, "samples", name);
        var samples = new StableDiffusionSamples(Pipeline, request ?? Request); // not disposed: the pipeline goes on
        DrawnSamples.Fill(folder, $"{samples.Settings} {options.Seed}", (count, Batch), batch => samples.Draw(batch.First, batch.Count, options.Seed, [.. Enumerable.Range(batch.First, batch.Count).Select(prompt)]), _ => { }, place.Cancellation);
        return new ImageFolder(folder);
    }

    /// <summary>Draws pictures one by one, each with a request of its own.</summary>
    public ImageFolder DrawEach(string name, int count, Func<int, (string Prompt, ImageRequest Request)> wish)
    {
        var folder = Path.Combine(Output, "samples", name);
        DrawnSamples.Fill(folder, FormattableString.Invariant($"{name} {options.Seed}"), (count, 1), batch =>
        {
            var (prompt, request) = wish(batch.First);
            return Pipeline.Generate(prompt, request with { Seed = options.Seed + batch.First, Count = 1 }, cancellationToken: place.Cancellation).Single().ToTensor().unsqueeze(0);
        }, _ => { }, place.Cancellation);
        return new ImageFolder(folder);
    }

    /// <returns>[N, D], in the caller's scope.</returns>
    public Tensor Features(ImageSource pictures)
    {
        using var set = seeing.Extraction.RunAll(new SquaredSource(pictures, Side), null, place.Cancellation);
        return set.Features.alias();
    }

    /// <summary>The breeds in turn and nothing else: what other settings are compared with.</summary>
    public ImageFolder Plain() => Draw("plain", options.Samples, i => Prompt(i));

    /// <summary>What the rule that wrote the captions says of pictures.</summary>
    public static List<PhotoWords> Words(ImageSource pictures) => [.. Enumerable.Range(0, pictures.Examples.Count).Select(i =>
    {
        using var square = new SquaredSource(pictures, Side).Load(i);
        return PhotoWords.Of(square);
    })];

    /// <summary>A sheet with a row for every setting.</summary>
    public void Sheet(string key, string title, IReadOnlyList<(string Name, ImageSource Pictures)> settings, int columns = 8)
    {
        using var scope = NewDisposeScope();
        const int Shown = 128;
        var count = Math.Min(columns, settings.Min(setting => setting.Pictures.Examples.Count));
        var cells = settings.SelectMany(setting => Enumerable.Range(0, count).Select(i => new LabelledPicture(new SquaredSource(setting.Pictures, Shown).Load(i), ""))).ToList();
        PngFile.Write(Path.Combine(Output, $"{key}.png"), LabelledSheet.Compose(title, cells, count, [.. settings.Select(setting => setting.Name)]));
    }
}
