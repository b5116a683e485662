namespace Bruma.Verification;

/// <summary>Finds the material that is too large for the repository: pretrained models and photos.</summary>
public static class SharedFolder
{
    /// <summary>The folder <paramref name="name"/> of <c>BRUMA_SHARED</c>, else beside the root of the cases, else in <c>../shared</c> beside the repository; null when missing.</summary>
    public static string? Find(string casesRoot, string name)
    {
        var candidates = new List<string?> { Environment.GetEnvironmentVariable("BRUMA_SHARED"), Path.GetDirectoryName(Path.GetFullPath(casesRoot)) };
        for (var folder = new DirectoryInfo(Path.GetFullPath(casesRoot)); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Bruma.slnx")))
                candidates.Add(Path.Combine(folder.FullName, "..", "shared"));
        return candidates.Where(candidate => !string.IsNullOrEmpty(candidate)).Select(candidate => Path.Combine(candidate!, name)).FirstOrDefault(Directory.Exists);
    }
}
