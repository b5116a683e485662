using System.Globalization;
using Bruma.Data;

namespace Bruma.Recipes.Finetuning;

/// <summary>The tasks by name, and which of them some data are for.</summary>
public static class FinetuneTasks
{
    public const string TextClassification = "text-classification";
    public const string PairSimilarity = "sentence-similarity";
    public const string LanguageModel = "language-model";
    public const string ImageClassification = "image-classification";

    private static readonly string[] Tables = [".jsonl", ".ndjson", ".csv", ".tsv", ".tab"];

    public static IReadOnlyList<string> Names { get; } = [TextClassification, PairSimilarity, LanguageModel, ImageClassification];

    /// <summary>What the data look like: labelled texts, pairs with degrees, plain text, or pictures.</summary>
    /// <exception cref="BrumaException">Nothing is there.</exception>
    public static string Guess(string data)
    {
        var (train, _) = Files(data);
        if (File.Exists(train))
            return !Tables.Contains(Path.GetExtension(train).ToLowerInvariant()) ? LanguageModel
                : LabelledTexts.Read(train) is var texts && texts.Any(text => text.Pair is not null) && texts.All(text => Degree(text.Label) is not null) ? PairSimilarity : TextClassification;
        if (!Directory.Exists(train))
            throw new BrumaException($"{data}: no such file or folder; give labelled texts (.jsonl, .csv, .tsv, folders of .txt), a text file, or a folder of pictures with a folder per class.");
        return Directory.EnumerateFiles(train, "*.txt", SearchOption.AllDirectories).Any() && !Directory.EnumerateFiles(train, "*.*", SearchOption.AllDirectories).Any(IsPicture) ? TextClassification : ImageClassification;
    }

    internal static FinetuneTask Load(FinetuneOptions options)
    {
        CheckModel(options);
        return options.Task switch
        {
            TextClassification => TextClassificationTask.Load(options),
            PairSimilarity => PairSimilarityTask.Load(options),
            LanguageModel => LanguageTask.Load(options),
            _ => ImageClassificationTask.Load(options),
        };
    }

    /// <summary>A network of another kind is told before its configuration is read as what it is not.</summary>
    private static void CheckModel(FinetuneOptions options)
    {
        var path = Path.Combine(options.Model, "config.json");
        using var config = Hub.PythonJson.ParseFile(path);
        string[] fitting = options.Task switch
        {
            TextClassification or PairSimilarity => ["bert"],
            LanguageModel => ["gpt2", "llama"],
            _ => ["efficientnet-lite0", "efficientnet", "vit"],
        };
        if (config.RootElement.TryGetProperty("model_type", out var type) && type.GetString() is { } name && !fitting.Contains(name))
            throw new BrumaException($"{path}: \"model_type\" is \"{name}\"; {options.Task} needs {string.Join(" or ", fitting)}: give another --model, or say which --task is meant.");
    }

    /// <summary>The texts to train on and those of the test file; none without one.</summary>
    internal static (IReadOnlyList<LabelledText> Training, IReadOnlyList<LabelledText> Test) Texts(FinetuneOptions options)
    {
        var (train, test) = Files(options.Data);
        test = options.Test.Length > 0 ? options.Test : test;
        return (LabelledTexts.Read(train), test is null ? [] : LabelledTexts.Read(test));
    }

    internal static bool HasTestFile(FinetuneOptions options) => options.Test.Length > 0 || Files(options.Data).Test is not null;

    /// <summary>The degree of likeness that a label says; null when it is a class.</summary>
    internal static double? Degree(string label) => double.TryParse(label, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>A folder with <c>train</c> and <c>test</c> tables stands for these.</summary>
    private static (string Train, string? Test) Files(string data)
    {
        foreach (var extension in Tables)
            if (Path.Combine(data, $"train{extension}") is var train && File.Exists(train))
                return (train, Path.Combine(data, $"test{extension}") is var test && File.Exists(test) ? test : null);
        return (data, null);
    }

    private static bool IsPicture(string path) => Imaging.ImageFile.Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());
}
