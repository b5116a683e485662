using System.Globalization;
using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Imaging;
using Bruma.Metrics;
using Bruma.Recipes.Adaptation;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary>The controls, one method each: drawn as a sheet, measured by something that did not take part in training.</summary>
internal static class ControlSections
{
    private const int FewestWithWord = 5; // photos
    private const double HeadShare = 1 / PictureSquare.HeadMargin; // of a square around a head
    private const double Level = 255;

    private static readonly double[] Scales = [1, 2, 3, 4, 6, 8];
    private static readonly double[] Strengths = [0.2, 0.4, 0.6, 0.8, 1];

    /// <summary>Breed by word, and what guidance does to it and to variety.</summary>
    public static ControlSection Guidance(ControlMeasures measures)
    {
        using var scope = NewDisposeScope();
        var reference = measures.Photos.Rows(measures.Photos.Reference);
        var size = new[] { EqualDraws.Largest, measures.Options.Samples, measures.Photos.Reference.Count }.Min();
        using var draws = new EqualDraws(reference, size);
        var (rows, shown) = (new List<ControlRow>(), new List<(string, ImageSource)>());
        foreach (var scale in Scales)
        {
            var name = scale.ToString(CultureInfo.InvariantCulture);
            var pictures = measures.Draw($"guidance-{name}", measures.Options.Samples, i => measures.Prompt(i), measures.Request with { GuidanceScale = scale });
            var features = measures.Features(pictures);
            var set = draws.Of(name, name, features);
            rows.Add(new(name, [measures.Judge.Right(features, i => i % measures.Breeds.Count), set["recall"], set["coverage"], set[SetComparison.KidMean]]));
            shown.Add(($"guidance {name}", pictures));
        }
        measures.Sheet("guidance", "guidance", shown);
        ControlPlot.Write(Path.Combine(measures.Output, "guidance-curve.png"), Scales, [.. rows.Select(row => row.Values)]);
        var best = rows.MaxBy(row => row.Values[0])!;
        var floor = measures.Photos.Test.Count > 1 ? draws.Of("test", "test", measures.Photos.Rows(measures.Photos.Test)) : null;
        return new("guidance", "Breed by word, and guidance",
            FormattableString.Invariant($"{measures.Options.Samples} pictures a row, breeds in turn. The judge is linear on the features and right on {100 * (measures.Judge.Accuracy ?? double.NaN):0} % of the test photos, which have recall {floor?["recall"] ?? double.NaN:0.00} and coverage {floor?["coverage"] ?? double.NaN:0.00}."),
            ["guidance", "breed as asked", "recall", "coverage", "KID"], rows,
            FormattableString.Invariant($"The breed follows the word best at guidance {best.Setting}: {100 * best.Values[0]:0} % as asked, where {100.0 / measures.Breeds.Count:0} % is chance."));
    }

    /// <summary>The same question in two languages.</summary>
    public static ControlSection Languages(ControlMeasures measures)
    {
        using var scope = NewDisposeScope();
        var (rows, shown) = (new List<ControlRow>(), new List<(string, ImageSource)>());
        var spanish = measures.Draw("spanish", measures.Options.Samples, i => $"foto de un gato {CatCaptions.InSpanish(measures.Breed(i))}");
        foreach (var (name, pictures) in new[] { ("English", measures.Plain()), ("Spanish", spanish) })
        {
            rows.Add(new(name, [measures.Judge.Right(measures.Features(pictures), i => i % measures.Breeds.Count)]));
            shown.Add((name, pictures));
        }
        measures.Sheet("languages", "English and Spanish, the same noise", shown);
        return new("languages", "English and Spanish", "The same breeds and seeds, asked for in two languages.", ["language", "breed as asked"], rows,
            FormattableString.Invariant($"{100 * rows[0].Values[0]:0} % as asked in English, {100 * rows[1].Values[0]:0} % in Spanish."));
    }

    /// <summary>Words for colours and light, asked for and found by the rule that wrote the captions.</summary>
    /// <param name="kind">The column of the words: coat, background or lightness.</param>
    /// <param name="plain">What pictures say that no word was asked of; drawn when they are first needed.</param>
    /// <returns>Null where no word is on enough photos.</returns>
    public static ControlSection? Words(ControlMeasures measures, string kind, Lazy<List<PhotoWords>> plain)
    {
        var all = measures.Photos.Source.Examples;
        var words = all.Select(example => example.Columns?.GetValueOrDefault(kind)).OfType<string>().GroupBy(word => word).Where(group => group.Count() >= FewestWithWord).OrderByDescending(group => group.Count()).ToList();
        if (words.Count < 2)
            return null;
        Func<PhotoWords, string?> read = kind switch { "coat" => found => found.Coat.English, "background" => found => found.Ground.English, _ => found => found.Lightness };
        var count = Math.Max(measures.Breeds.Count, measures.Options.Samples / words.Count);
        var (rows, shown) = (new List<ControlRow>(), new List<(string, ImageSource)>());
        foreach (var word in words)
        {
            var pictures = measures.Draw($"{kind}-{word.Key}", count, i => kind switch { "coat" => measures.Prompt(i, word.Key), "background" => $"{measures.Prompt(i)} on {EmojiGrammar.WithArticle(word.Key)} background", _ => $"a {word.Key} photo{measures.Prompt(i)["a photo".Length..]}" });
            rows.Add(new(word.Key, [ControlMeasures.Words(pictures).Average(found => read(found) == word.Key ? 1.0 : 0), plain.Value.Average(found => read(found) == word.Key ? 1.0 : 0), word.Count() / (double)all.Count]));
            shown.Add((word.Key, pictures));
        }
        measures.Sheet(kind, $"{kind}, asked for by word", shown);
        var (asked, chance) = (rows.Average(row => row.Values[0]!.Value), rows.Average(row => row.Values[1]!.Value));
        return new(kind, $"{char.ToUpperInvariant(kind[0])}{kind[1..]}", $"{count} pictures a word, read from the pixels by the rule that wrote the captions, so the rule is right on photos by definition. Beside it how often the word fits pictures that were not asked for it, and photos.",
            ["word", "as asked", "without asking", "photos"], rows, FormattableString.Invariant($"Asked for by word the {kind} is right in {100 * asked:0} % of the pictures, in {100 * chance:0} % without asking: {(asked > chance + 0.1 ? "the word counts" : "the word hardly counts")}."));
    }

    /// <summary>Close-up or whole animal, by word.</summary>
    /// <returns>Null where the captions have no such words.</returns>
    public static ControlSection? Framing(ControlMeasures measures)
    {
        using var scope = NewDisposeScope();
        if (FramingJudge.Of(measures.Photos, measures.Features) is not { } judge)
            return null;
        var (rows, shown) = (new List<ControlRow>(), new List<(string, ImageSource)>());
        var close = measures.Draw("framing-close", measures.Options.Samples, i => CatCaptions.Close(measures.Breed(i))[0]);
        var whole = measures.Draw("framing-whole", measures.Options.Samples, i => CatCaptions.Whole(measures.Breed(i))[0]);
        foreach (var (name, pictures, isClose) in new (string, ImageSource, bool?)[] { ("close-up", close, true), ("whole", whole, false), ("without asking", measures.Plain(), null) })
        {
            var shares = judge.Shares(measures.Features(pictures));
            rows.Add(new(name, [shares.Average(), isClose is { } asked ? shares.Average(share => share >= FramingJudge.Close == asked ? 1.0 : 0) : null]));
            shown.Add((name, pictures));
        }
        measures.Sheet("framing", "close-up and whole animal, the same noise", shown);
        var error = judge.Error is { } known ? FormattableString.Invariant($"Its mean error on squares of the test photos is {known.Own:0.000}, where always saying the mean has {known.Mean:0.000}; it puts {100 * judge.Accuracy:0} % of them on the right side.") : "There are no test photos to say how good it is.";
        return new("framing", "Close-up or whole animal", FormattableString.Invariant($"{measures.Options.Samples} pictures a row. The judge is linear on the features: the head's share of the picture's side, fitted to photos with a known head, near and far. {error} From {FramingJudge.Close:0.00} on a picture counts as a close-up."),
            ["asked", "the head's share", "as asked"], rows,
            FormattableString.Invariant($"The head takes {rows[0].Values[0]:0.00} of the side where a close-up is asked for and {rows[1].Values[0]:0.00} where the whole animal is."));
    }

    /// <summary>From a picture of the base's own kind to a photo.</summary>
    /// <param name="starts">What the base draws; uint8 pictures of the trained size.</param>
    public static ControlSection Start(ControlMeasures measures, ImageSource starts)
    {
        using var scope = NewDisposeScope();
        using var kid = new SetComparison(measures.Photos.Rows(measures.Photos.Reference), new ComparisonOptions(["kid"], KidSubsets: 100, KidSubsetSize: 70, Parts: 0));
        var from = nn.functional.normalize(measures.Features(starts), dim: 1);
        var (rows, shown) = (new List<ControlRow>(), new List<(string, ImageSource)> { ("start", starts) });
        foreach (var strength in Strengths)
        {
            var name = strength.ToString(CultureInfo.InvariantCulture);
            var pictures = measures.DrawEach($"strength-{name}", starts.Examples.Count, i => (measures.Prompt(i), measures.Request with { Start = new StartImage(starts.Load(i), strength) }));
            var features = measures.Features(pictures);
            rows.Add(new(name, [(1 - (from * nn.functional.normalize(features, dim: 1)).sum(1)).mean().item<float>(), kid.Measure(features)[SetComparison.KidMean].Value]));
            shown.Add(($"strength {name}", pictures));
        }
        measures.Sheet("start", "from the base's picture to a photo", shown);
        return new("start", "Start picture", $"{starts.Examples.Count} pictures that the base draws of \"{measures.Options.Start}\", each taken further by the share of the steps that is run. Distance is 1 - cosine of the features to the start.",
            ["strength", "distance to the start", "KID to the photos"], rows, FormattableString.Invariant($"From strength {rows[0].Setting} to {rows[^1].Setting} the distance to the start goes from {rows[0].Values[0]:0.00} to {rows[^1].Values[0]:0.00} and KID to the photos from {rows[0].Values[1]:0.00} to {rows[^1].Values[1]:0.00}."));
    }

    /// <summary>The face of a photo is kept, the rest drawn anew on a background that is asked for.</summary>
    /// <returns>Null without test photos that have a box around the head.</returns>
    public static ControlSection? Inpainting(ControlMeasures measures)
    {
        var rows = measures.Photos.Test.Where(row => measures.Photos.Example(row).Columns?.ContainsKey("head_box") == true).Take(measures.Options.Samples).ToList();
        if (rows.Count == 0)
            return null;
        using var scope = NewDisposeScope();
        var side = (int)measures.Request.Width!;
        var cell = measures.Pipeline.Autoencoder.Config.Reduction; // what is kept are whole latents
        var first = (int)Math.Round(side * (1 - HeadShare) / 2 / cell) * cell;
        var kept = side - 2 * first;
        var mask = full([1, side, side], 255, uint8);
        mask.narrow(1, first, kept).narrow(2, first, kept).zero_();
        string[] grounds = ["green", "blue", "white"];
        var pictures = measures.DrawEach("inpainting", rows.Count, i => ($"{measures.Prompt(measures.Photos.Example(rows[i]).Class ?? 0)} on {EmojiGrammar.WithArticle(grounds[i % grounds.Length])} background",
            measures.Request with { Start = new StartImage(measures.Photos.Square(rows[i], side), 1, mask) }));
        var (changed, copied) = (0.0, 0.0);
        for (var i = 0; i < rows.Count; i++)
        {
            using var one = NewDisposeScope();
            var photo = ImageTensor.FromBytes(measures.Photos.Square(rows[i], side)).unsqueeze(0);
            Tensor Face(Tensor picture) => picture.narrow(2, first, kept).narrow(3, first, kept).to(float32);
            changed += PixelSimilarity.Psnr(Face(ImageTensor.FromBytes(pictures.Load(i)).unsqueeze(0)), Face(photo), 2).item<double>();
            using var still = no_grad();
            copied += PixelSimilarity.Psnr(Face(measures.Pipeline.Autoencoder.call(photo)), Face(photo), 2).item<double>();
        }
        var asked = ControlMeasures.Words(pictures).Select((found, i) => found.Ground.English == grounds[i % grounds.Length] ? 1.0 : 0).Average();
        measures.Sheet("inpainting", "the face kept, the background drawn anew", [("photo", new ImageSubset(measures.Photos.Squares, [.. rows.Select(row => measures.Photos.Features.Indices[row])], "of the test")), ("drawn", pictures)]);
        return new("inpainting", "Inpainting", $"{rows.Count} test photos; the middle {100 * kept / side} % of both sides is kept, the rest drawn on a green, blue or white background. PSNR of the kept part against the photo, beside what the autoencoder alone does to it.",
            ["", "PSNR of the face, dB", "background as asked"], [new("drawn", [changed / rows.Count, asked]), new("autoencoder alone", [copied / rows.Count, null])],
            FormattableString.Invariant($"The face stays at {changed / rows.Count:0.0} dB, where the autoencoder alone has {copied / rows.Count:0.0}; the background is as asked in {100 * asked:0} %."));
    }
}
