using Bruma.Data;
using Bruma.Metrics;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>How well pictures fit their texts: the CLIP score, with a CLIP that the user gives.</summary>
internal static class TextMeasures
{
    public static void Add(Dictionary<string, Measured> values, Dictionary<string, string> notMeasured, EvaluationOptions options, ImageSource samples, IReadOnlyList<string>? prompts)
    {
        var captions = samples.Examples.Select(example => example.Caption).ToList();
        var texts = prompts is not null ? [.. Enumerable.Range(0, captions.Count).Select(i => prompts[i % prompts.Count])] : captions.OfType<string>().ToList();
        var isWanted = options.Chosen.Contains("clip") || (options.Clip is not null && texts.Count > 0);
        if (!isWanted)
        {
            if (prompts is not null)
                notMeasured["clip_score"] = "no CLIP: give its folder as --clip FOLDER";
            return;
        }
        if (options.Clip is null)
            notMeasured["clip_score"] = "no weights: give a CLIP folder as --clip FOLDER";
        else if (texts.Count != captions.Count)
            notMeasured["clip_score"] = $"{captions.Count - texts.Count} of {captions.Count} samples have no text: give --prompts FILE, or captions beside the pictures";
        else
            values["clip_score"] = Score(options.Clip, samples, texts);
    }

    private static Measured Score(string folder, ImageSource samples, List<string> texts)
    {
        using var scope = NewDisposeScope();
        using var network = FeatureNetwork.OfClip(folder);
        using var model = ClipModel.Load(folder);
        using var pictures = new FeatureExtraction(network).RunAll(samples);
        var tokenizer = Tokenizer.Load(folder);
        var length = model.Config.TextConfig.MaxPositionEmbeddings;
        var vectors = texts.Distinct().ToDictionary(text => text, text => Vector(model, tokenizer, text, length), StringComparer.Ordinal);
        var scores = ClipScore.PerPair(pictures.Features, stack([.. pictures.Indices.Select(i => vectors[texts[i]])]));
        var error = scores.std().item<double>() / Math.Sqrt(pictures.Count) * 1.96;
        var mean = scores.mean().item<double>();
        return pictures.Count > 1 ? new Measured(mean, mean - error, mean + error) : new Measured(mean);
    }

    private static Tensor Vector(ClipModel model, Tokenizer tokenizer, string text, int length)
    {
        using var scope = NewDisposeScope();
        var batch = TokenBatch.Of(tokenizer.EncodeBatch([text], new EncodingOptions(length, Truncation.LongestFirst)));
        return model.TextFeatures(batch.InputIds)[0].MoveToOuterDisposeScope();
    }
}
