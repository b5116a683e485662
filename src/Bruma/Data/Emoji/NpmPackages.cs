namespace Bruma.Data.Emoji;

/// <summary>Fetches the data set's packages by npm.</summary>
internal static class NpmPackages
{
    private const string HowToInstall = "install Node.js with npm, or give a node_modules folder with --packages";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    /// <summary>Installs pinned versions below a folder; what is there already stays.</summary>
    /// <returns>The folder <c>node_modules</c>.</returns>
    /// <exception cref="BrumaException">npm is not there or fails.</exception>
    public static string Install(string folder, IReadOnlyList<EmojiPackage> packages)
    {
        var modules = Path.Combine(folder, "node_modules");
        var missing = packages.Where(package => !File.Exists(Path.Combine(modules, package.Package, "package.json")) || PackageFile.Version(modules, package.Package) != package.Version).ToList();
        if (missing.Count == 0)
            return modules;
        Directory.CreateDirectory(folder);
        var (code, _, error) = OutsideProgram.Run(
            "npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefix", folder, .. packages.Select(package => $"{package.Package}@{package.Version}")], null, HowToInstall, Patience, folder).GetAwaiter().GetResult();
        return code == 0 ? modules : throw new BrumaException($"npm install: failed with code {code} ({error.Split('\n')[0]}); check the network, or give a node_modules folder with --packages.");
    }
}
