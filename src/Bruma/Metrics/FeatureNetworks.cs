using System.Globalization;
using System.Text.Json;
using Bruma.Hub;
using Bruma.Vision;
using Bruma.Vision.Inception;

namespace Bruma.Metrics;

/// <summary>Finds feature networks by the names that people type.</summary>
public static class FeatureNetworks
{
    public const string Default = EfficientNetLite0.ModelName;
    public const string InceptionName = "inception";

    /// <summary>Names the file of FID's Inception, so that <c>--features inception</c> finds it.</summary>
    public const string InceptionVariable = "BRUMA_INCEPTION";

    private const string Random = "random";

    private static readonly Dictionary<string, string> Aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["fmnist"] = "fashion-features",
        ["fashion"] = "fashion-features",
        ["emoji"] = "emoji-scorer",
        ["fid"] = InceptionName,
        ["inception-v3-compat"] = InceptionName, // torch-fidelity's name
        ["rand"] = Random,
    };

    /// <summary>What a folder's <c>config.json</c> calls itself, and how it is read.</summary>
    private static readonly Dictionary<string, Func<string, FeatureNetwork>> Folders = new(StringComparer.Ordinal)
    {
        ["efficientnet-lite0"] = FeatureNetwork.OfEfficientNet,
        [SmallClassifierConfig.ModelType] = FeatureNetwork.OfClassifier,
        ["clip"] = FeatureNetwork.OfClip,
        [EmojiScorerFiles.ModelType] = FeatureNetwork.OfScorer,
    };

    /// <summary>The installed model, or another name, that a name stands for: <c>emoji</c> for <c>emoji-scorer</c>.</summary>
    public static string Canonical(string name) => Aliases.GetValueOrDefault(name, name);

    /// <param name="name">An installed model (<c>efficientnet-lite0</c>, <c>fmnist</c>), <c>random</c> or <c>random:SEED</c>, <c>inception</c>, a model's folder, or a file of Inception's weights.</param>
    /// <exception cref="BrumaException">Nothing of that name is there, or it is no network that gives features.</exception>
    public static FeatureNetwork Open(string name)
    {
        name = Canonical(name);
        if (name == Random || name.StartsWith($"{Random}:", StringComparison.Ordinal))
            return FeatureNetwork.OfSeed(Seed(name));
        if (name == InceptionName)
            return OpenFile(Environment.GetEnvironmentVariable(InceptionVariable) is { Length: > 0 } file
                ? file
                : throw new BrumaException($"FID's Inception does not come with Bruma: give its file of weights (pt_inception-2015-12-05-6726825d.pth) as --features FILE or in {InceptionVariable}."));
        if (Directory.Exists(name))
            return OpenFolder(name);
        if (File.Exists(name))
            return OpenFile(name);
        var installed = InstalledModels.All().Where(model => TypeOf(model.Folder) is { } type && Folders.ContainsKey(type)).ToList();
        return installed.Find(model => model.Name == name) is { } found
            ? OpenFolder(found.Folder)
            : throw new BrumaException($"{name}: no such feature network; give {string.Join(", ", ["a file of FID's Inception weights", "a CLIP folder", $"{Random}[:SEED]", .. installed.Select(model => model.Name)])}.");
    }

    private static FeatureNetwork OpenFolder(string folder) => TypeOf(folder) is { } type && Folders.TryGetValue(type, out var open)
        ? open(folder)
        : throw new BrumaException($"{folder}: no network that gives features: its config.json {(TypeOf(folder) is { } other ? $"says model_type \"{other}\"" : "has no model_type")}; expected {string.Join(", ", Folders.Keys)}.");

    private static FeatureNetwork OpenFile(string file)
    {
        using (var weights = CheckpointFile.Open(file))
            if (!FidInception.Fits(weights))
                throw new BrumaException($"{file}: not the weights of FID's Inception (keys Mixed_7c... and 1008 classes, as in pt_inception-2015-12-05-6726825d.pth; torchvision's Inception is another network).");
        return FeatureNetwork.OfInception(file);
    }

    private static string? TypeOf(string folder)
    {
        var path = Path.Combine(folder, "config.json");
        if (!File.Exists(path))
            return null;
        using var json = PythonJson.ParseFile(path);
        return json.RootElement.TryGetProperty("model_type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;
    }

    private static long Seed(string name) => name == Random ? 0
        : long.TryParse(name[(Random.Length + 1)..], NumberStyles.Integer, CultureInfo.InvariantCulture, out var seed) ? seed
        : throw new BrumaException($"{name}: the seed of random features is a whole number, as in {Random}:7.");
}
