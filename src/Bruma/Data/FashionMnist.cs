namespace Bruma.Data;

/// <summary>Fashion-MNIST: 60,000 and 10,000 gray pictures of clothes, 28x28, ten classes.</summary>
/// <remarks>Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747. MIT licence.</remarks>
public static class FashionMnist
{
    public const string SourceName = "fashion-mnist";

    private const string DebianFolder = "/usr/share/datasets/fashion-mnist";

    public static readonly IReadOnlyList<string> ClassNames = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    public static ImageSource Train() => new IdxSource(Folder(), "train", ClassNames);

    public static ImageSource Test() => new IdxSource(Folder(), "t10k", ClassNames);

    /// <summary>Where the four files are: <c>BRUMA_DATA/fashion-mnist</c>, as Debian installs them, or the user's cache.</summary>
    private static string Folder()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } home ? home : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var folders = new[] { Environment.GetEnvironmentVariable("BRUMA_DATA"), DebianFolder, Path.Combine(cache, "bruma") }.OfType<string>()
            .Select(folder => folder == DebianFolder ? folder : Path.Combine(folder, SourceName)).ToList();
        return folders.FirstOrDefault(folder => Directory.Exists(folder) && Directory.EnumerateFiles(folder, "train-images-idx3-ubyte*").Any())
            ?? throw new BrumaException($"{SourceName}: not found in {string.Join(", ", folders)}; on Debian install the package dataset-fashion-mnist, elsewhere put the four idx files in the last of these folders.");
    }
}
