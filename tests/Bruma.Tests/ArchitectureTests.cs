using System.Text.RegularExpressions;
using Bruma.Tests.Support;

namespace Bruma.Tests;

/// <summary>Keeps the arrows between the library's folders: users above what they use, no circles.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        [""] = [],
        ["Nn"] = [],
        ["Hub"] = [],
        ["Reports"] = [],
        ["Imaging"] = ["Hub"],
        ["Text"] = ["Hub"],
        ["Data"] = ["Nn", "Hub", "Imaging", "Text"],
        ["Data.Emoji"] = ["Data", "Nn", "Hub", "Imaging", "Text"],
        ["Data.Sequences"] = ["Data", "Nn", "Text"],
        ["Training"] = ["Nn", "Hub", "Imaging", "Text"],
        ["Diffusion.Schedulers"] = ["Nn", "Hub"],
        ["Diffusion"] = ["Diffusion.Schedulers", "Nn", "Hub", "Imaging", "Training", "Data"],
        ["Gans"] = ["Nn", "Hub", "Imaging", "Training", "Data"],
        ["Transformers"] = ["Nn", "Hub", "Text", "Training", "Data"],
        ["Vision.Inception"] = ["Hub"],
        ["Transformers.Embeddings"] = ["Transformers", "Nn", "Hub", "Text", "Training", "Data"],
        ["Vision"] = ["Nn", "Hub", "Imaging", "Training", "Data"],
        ["Adapters"] = ["Nn", "Hub", "Training", "Data"],
        ["StableDiffusion"] = ["Diffusion", "Diffusion.Schedulers", "Transformers", "Adapters", "Nn", "Hub", "Imaging", "Text", "Training", "Data"],
        ["Metrics"] = ["Vision", "Vision.Inception", "Transformers", "Nn", "Hub", "Imaging", "Data"],
    };

    [Fact]
    public void Folders_use_only_what_lies_below_them()
    {
        var library = Path.Combine(Repository.Root, "src", "Bruma");
        var wrong = new List<string>();
        foreach (var file in Directory.EnumerateFiles(library, "*.cs", SearchOption.AllDirectories).Where(file => !file.Contains("/obj/") && !file.Contains("/bin/")))
        {
            var folder = Path.GetRelativePath(library, Path.GetDirectoryName(file)!).Replace('/', '.').Trim('.');
            if (folder.Split('.')[0] is "Recipes" or "Verification" || !Allowed.TryGetValue(folder, out var allowed))
            {
                if (folder.Split('.')[0] is not ("Recipes" or "Verification"))
                    wrong.Add($"{file}: the folder {folder} has no place in the architecture; give it one in this test");
                continue;
            }
            foreach (Match used in UsingLine().Matches(File.ReadAllText(file)))
                if (used.Groups[1].Value != folder && !allowed.Contains(used.Groups[1].Value))
                    wrong.Add($"{Path.GetRelativePath(library, file)} uses Bruma.{used.Groups[1].Value}");
        }
        Assert.Empty(wrong);
    }

    [GeneratedRegex(@"^using Bruma\.([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex UsingLine();
}
