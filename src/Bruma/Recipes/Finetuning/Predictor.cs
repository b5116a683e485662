using Bruma.Hub;
using Bruma.Imaging;
using Bruma.Text;
using Bruma.Transformers;
using Bruma.Transformers.Embeddings;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>A classifier from its folder: of texts or of pictures, fine-tuned by Bruma or by transformers.</summary>
public sealed class Predictor : IDisposable
{
    private readonly Module _network;
    private readonly Func<string, string?, Tensor> _logits;

    private Predictor(Module network, IReadOnlyList<string> labels, bool takesPictures, Func<string, string?, Tensor> logits) => (_network, Labels, TakesPictures, _logits) = (network, labels, takesPictures, logits);

    public IReadOnlyList<string> Labels { get; }

    /// <summary>Whether an input is the path of a picture; else it is a text.</summary>
    public bool TakesPictures { get; }

    /// <summary>Texts that were longer than the network takes and were cut, so far.</summary>
    public long Truncated { get; private set; }

    /// <summary>Loads a classifier's folder.</summary>
    /// <exception cref="BrumaException">A file is missing or damaged, or the model is no classifier.</exception>
    public static Predictor Load(string folder)
    {
        using var config = PythonJson.ParseFile(Path.Combine(folder, "config.json"));
        var type = config.RootElement.TryGetProperty("model_type", out var name) ? name.GetString() : null;
        return type switch
        {
            "bert" => Text(folder),
            "vit" or "efficientnet-lite0" or "efficientnet" or null => Picture(folder),
            _ => throw new BrumaException($"{Path.Combine(folder, "config.json")}: \"model_type\" is \"{type}\", of which Bruma has no classifier; it has bert, vit and efficientnet-lite0 (bruma complete asks a language model)."),
        };
    }

    /// <summary>Whether a folder's network has a head for classes.</summary>
    public static bool IsClassifier(string folder)
    {
        var weights = Path.Combine(folder, "model.safetensors");
        if (!File.Exists(weights))
            return true; // loading says what is wrong
        using var file = new SafetensorsFile(weights);
        return file.Tensors.Keys.Any(name => name.StartsWith("classifier.", StringComparison.Ordinal) || name.StartsWith("_fc.", StringComparison.Ordinal));
    }

    /// <summary>The classes of an input with their probabilities, the likeliest first.</summary>
    /// <param name="pair">Second text of a pair, for models that were trained on pairs.</param>
    /// <exception cref="BrumaException">The picture cannot be read.</exception>
    public IReadOnlyList<(string Label, double Probability)> Predict(string input, string? pair = null)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var probabilities = _logits(input, pair).to(float64).softmax(1).data<double>().ToArray();
        return [.. Labels.Zip(probabilities).OrderByDescending(pair => pair.Second)];
    }

    public void Dispose() => _network.Dispose();

    private static Predictor Text(string folder)
    {
        var network = TextClassifier.Load(folder);
        var tokenizer = TokenizerMatch.Load(folder, network.Encoder.Config.VocabSize);
        var options = new EncodingOptions(Math.Min(tokenizer.Options.MaxLength ?? int.MaxValue, network.Encoder.Config.MaxPositionEmbeddings), Truncation.LongestFirst);
        Predictor? predictor = null;
        predictor = new Predictor(network, Names(folder, network.Encoder.Config.Id2label, network.Classifier.out_features), false, (text, pair) =>
        {
            var tokens = tokenizer.Encode(text, pair, options with { MaxLength = options.MaxLength + 1 });
            if (tokens.Ids.Count > options.MaxLength)
            {
                predictor!.Truncated++;
                tokens = tokenizer.Encode(text, pair, options);
            }
            var batch = TokenBatch.Of([tokens]);
            return network.call(batch.InputIds, new TextPass(batch.AttentionMask, batch.TypeIds));
        });
        return predictor;
    }

    private static Predictor Picture(string folder)
    {
        var network = PictureNetworks.Load(folder, null);
        return new Predictor(network.Module, Names(folder, null, network.Classifier.out_features), true, (path, _) =>
            network.Classify(network.Features(network.Normalize(network.Crop(ImageFile.Load(path)).unsqueeze(0)))));
    }

    private static IReadOnlyList<string> Names(string folder, IReadOnlyDictionary<string, System.Text.Json.JsonElement>? id2label, long classes) =>
        File.Exists(Path.Combine(folder, LabelFile.Name)) || id2label is null
            ? LabelFile.Read(folder, classes)
            : [.. Enumerable.Range(0, (int)classes).Select(k => id2label.TryGetValue($"{k}", out var label) ? label.ToString() : $"LABEL_{k}")];
}
