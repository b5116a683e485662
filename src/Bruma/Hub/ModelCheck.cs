using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>What a check of one file found.</summary>
/// <param name="Checked">What was looked at: <c>SHA-256</c>, <c>git sum</c>, <c>values</c>; empty for nothing but that it is there.</param>
/// <param name="Problem">One sentence; null when all is well.</param>
public sealed record FileCheck(string File, string Checked, string? Problem);

/// <summary>Looks at every file of a model: sums where the hub's cache names them, else whether weights can be read and are finite.</summary>
public static class ModelCheck
{
    private static readonly string[] Weights = [".safetensors", ".bin", ".ckpt", ".pt", ".pth"];

    /// <param name="path">A file or a folder.</param>
    public static IEnumerable<FileCheck> Of(string path)
    {
        if (File.Exists(path))
            return [Check(path)];
        return Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(Check)
            : throw new BrumaException($"{path}: no such file or folder.");
    }

    private static FileCheck Check(string file)
    {
        var blob = new FileInfo(file).LinkTarget is { } target ? Path.GetFileName(target) : "";
        if (blob.Length is 40 or 64 && blob.All(char.IsAsciiHexDigitLower))
            return new FileCheck(file, blob.Length == 64 ? "SHA-256" : "git sum", File.Exists(file) ? HubDownload.Mismatch(file, blob) : "the content that it links to is missing");
        return Weights.Contains(Path.GetExtension(file).ToLowerInvariant()) ? new FileCheck(file, "values", Values(file)) : new FileCheck(file, "", null);
    }

    private static string? Values(string file)
    {
        try
        {
            using var source = CheckpointFile.Open(file);
            foreach (var name in source.Tensors.Keys)
            {
                using var scope = NewDisposeScope();
                var values = source.Read(name);
                if (values.is_floating_point() && !values.to(float32).isfinite().all().item<bool>())
                    return $"\"{name}\" holds values that are not finite";
            }
            return null;
        }
        catch (BrumaException e)
        {
            return e.Message;
        }
    }
}
