namespace Bruma.Hub;

/// <summary>A component's folder in the layout of diffusers and transformers: <c>config.json</c> and the weights beside it.</summary>
public static class ModelFolder
{
    /// <summary>Names of weight files without extension, in order of preference.</summary>
    private static readonly string[] Stems = ["diffusion_pytorch_model", "model", "pytorch_model"];
    private static readonly string[] Extensions = ["safetensors", "bin"];

    /// <summary>Opens the weights of the folder: safetensors before torch's format, one file before several.</summary>
    /// <param name="variant">For example <c>fp16</c>; null for the plain weights, or the only variant that is there.</param>
    /// <exception cref="BrumaException">The folder or the weights are missing or damaged.</exception>
    public static ITensorSource Open(string folder, string? variant = null) => CheckpointFile.Open(FindWeights(folder, variant));

    /// <summary>Whether the folder holds weights that <see cref="Open"/> would find.</summary>
    public static bool HasWeights(string folder) => Directory.Exists(folder) && Candidates(folder, null).Any();

    /// <summary>The file of the weights, or the index of a checkpoint in several files.</summary>
    public static string FindWeights(string folder, string? variant = null)
    {
        if (!Directory.Exists(folder))
            throw new BrumaException($"{folder}: no such folder.");
        if (variant is not null && (variant.Length == 0 || variant.AsSpan().ContainsAny('/', '\\', '.')))
            throw new BrumaException($"\"{variant}\" is no name of a variant; expected something like fp16.");
        return Candidates(folder, variant).FirstOrDefault() ?? throw new BrumaException(variant is null
            ? $"{folder}: holds no weights (diffusion_pytorch_model.safetensors, model.safetensors, pytorch_model.bin, or these in several files with an index); download them too."
            : $"{folder}: holds no weights of the variant \"{variant}\"; {(HasWeights(folder) ? $"there is {Path.GetFileName(FindWeights(folder))}: ask for that or for no variant" : "there are none at all")}.");
    }

    private static IEnumerable<string> Candidates(string folder, string? variant)
    {
        var plain = from extension in Extensions
                    from stem in Stems
                    from name in Names(stem, extension, variant)
                    where File.Exists(Path.Combine(folder, name))
                    select Path.Combine(folder, name);
        return variant is null ? plain.Concat(Variants(folder).SelectMany(found => Candidates(folder, found))) : plain;
    }

    /// <summary>One file, or the index of several; the libraries have put the variant at different places of the latter's name.</summary>
    private static string[] Names(string stem, string extension, string? variant) => variant is null
        ? [$"{stem}.{extension}", $"{stem}.{extension}.index.json"]
        : [$"{stem}.{variant}.{extension}", $"{stem}.{extension}.index.{variant}.json", $"{stem}.{extension}.{variant}.index.json", $"{stem}.{variant}.{extension}.index.json"];

    /// <summary>The variants in the folder, fp16 first.</summary>
    private static IEnumerable<string> Variants(string folder) => Directory.EnumerateFiles(folder)
        .Select(Path.GetFileName)
        .Where(name => Array.Exists(Stems, stem => name!.StartsWith($"{stem}.", StringComparison.Ordinal)))
        .SelectMany(name => name!.Split('.')[1..])
        .Where(part => part is not ("safetensors" or "bin" or "index" or "json" or "") && !part.Contains("-of-", StringComparison.Ordinal))
        .Distinct()
        .OrderBy(part => part == "fp16" ? 0 : 1)
        .ThenBy(part => part, StringComparer.Ordinal);
}
