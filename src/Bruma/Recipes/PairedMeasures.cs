using Bruma.Data;
using Bruma.Imaging;
using Bruma.Metrics;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>Measures of pairs of pictures, such as originals and reconstructions: LPIPS, SSIM, PSNR. Pairs are told by equal file names.</summary>
internal static class PairedMeasures
{
    public static void Add(Dictionary<string, Measured> values, Dictionary<string, string> notMeasured, EvaluationOptions options, (ImageSource Reference, ImageSource Samples) sets)
    {
        if (!options.WantsPairs)
            return;
        using var scope = NewDisposeScope();
        using var lpips = options.Lpips is { } file ? Lpips.Load(file) : null;
        if (lpips is null && options.Chosen.Contains("lpips"))
            notMeasured["lpips"] = "no weights: give torchvision's file of AlexNet, VGG-16 or SqueezeNet as --lpips FILE";
        var names = sets.Reference.Examples.Select((example, i) => (Path.GetFileNameWithoutExtension(example.Name), i)).GroupBy(pair => pair.Item1).ToDictionary(group => group.Key, group => group.First().i, StringComparer.Ordinal);
        var found = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        for (var i = 0; i < sets.Samples.Examples.Count; i++)
            if (names.TryGetValue(Path.GetFileNameWithoutExtension(sets.Samples.Examples[i].Name), out var j))
                Pair(found, options, lpips, (sets.Reference.Load(j), sets.Samples.Load(i), sets.Samples.Examples[i].Name));
        if (found.Count == 0 && notMeasured.Count == 0 || found.Count == 0 && (options.Chosen.Contains("ssim") || options.Chosen.Contains("psnr") || lpips is not null))
            throw new BrumaException($"{options.Samples}: no picture has the file name of one in {options.Reference}, so there are no pairs for lpips, ssim and psnr; name each picture like its original.");
        foreach (var (key, list) in found)
            values[key] = new Measured(list.Average());
    }

    private static void Pair(Dictionary<string, List<double>> found, EvaluationOptions options, Lpips? lpips, (Tensor Original, Tensor Other, string Name) pair)
    {
        using var scope = NewDisposeScope();
        if ((pair.Original.shape[1], pair.Original.shape[2]) != (pair.Other.shape[1], pair.Other.shape[2]))
            throw new BrumaException($"{pair.Name}: has {pair.Other.shape[2]}x{pair.Other.shape[1]} pixels and its original {pair.Original.shape[2]}x{pair.Original.shape[1]}; pairs are compared pixel by pixel: make them equal, or use --resize-and-crop.");
        var (a, b) = (ImageTensor.FromBytes(pair.Original).expand(3, -1, -1).unsqueeze(0), ImageTensor.FromBytes(pair.Other).expand(3, -1, -1).unsqueeze(0));
        if (lpips is not null && options.Chosen.Contains("lpips"))
            Put("lpips", lpips.Distance(a, b));
        if (options.Chosen.Contains("ssim"))
            Put("ssim", PixelSimilarity.Ssim(a, b, 2));
        if (options.Chosen.Contains("psnr"))
            Put("psnr", PixelSimilarity.Psnr(a, b, 2));

        void Put(string key, Tensor value)
        {
            if (!found.TryGetValue(key, out var list))
                found[key] = list = [];
            list.Add(value.item<double>());
        }
    }
}
