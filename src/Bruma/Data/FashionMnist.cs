using System.IO.Compression;
using System.Security.Cryptography;
using Bruma.Hub;

namespace Bruma.Data;

/// <summary>Fashion-MNIST: 60,000 and 10,000 gray pictures of clothes, 28x28, ten classes.</summary>
/// <remarks>Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747. MIT licence.</remarks>
public static class FashionMnist
{
    public const string SourceName = "fashion-mnist";

    /// <summary>The 10,000 pictures that nothing is trained on.</summary>
    public const string TestName = "fashion-mnist-test";

    /// <summary>Where its authors publish it.</summary>
    public static readonly Uri Published = new("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/");

    public static readonly IReadOnlyList<string> ClassNames = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    private const string DebianFolder = "/usr/share/datasets/fashion-mnist";

    /// <summary>SHA-256 of the unpacked files: distributions pack them anew.</summary>
    private static readonly (string File, string Sha256)[] Files =
    [
        ("train-images-idx3-ubyte.gz", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        ("train-labels-idx1-ubyte.gz", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        ("t10k-images-idx3-ubyte.gz", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        ("t10k-labels-idx1-ubyte.gz", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ];

    /// <summary>Where <see cref="Download"/> puts it: in <c>BRUMA_DATA</c>, else in the user's cache.</summary>
    public static string DownloadFolder => DataCache.Folder(SourceName);

    /// <summary>Whether it can be opened on this machine.</summary>
    public static bool IsThere => Found() is not null;

    public static ImageSource Train() => new IdxSource(Folder(), "train", ClassNames);

    public static ImageSource Test() => new IdxSource(Folder(), "t10k", ClassNames);

    /// <summary>Fetches the files that are not there yet, each checked before it counts.</summary>
    /// <param name="from">A folder on a server that holds the four files.</param>
    /// <param name="folder">Where to; null for <see cref="DownloadFolder"/>.</param>
    /// <returns>The folder.</returns>
    /// <exception cref="BrumaException">The server fails, or a file is not the published one.</exception>
    public static async Task<string> Download(HttpClient client, Uri? from = null, string? folder = null, CancellationToken cancellationToken = default)
    {
        folder ??= DownloadFolder;
        var root = new Uri((from ?? Published).ToString().TrimEnd('/') + "/");
        foreach (var (file, sum) in Files)
        {
            var (source, path) = (new Uri(root, file), Path.Combine(folder, file));
            if (!File.Exists(path))
                await FileDownload.Get(client, source, path, part => Check(source, part, sum), cancellationToken);
        }
        return folder;
    }

    /// <summary>Where the four files are: as downloaded, or as Debian installs them.</summary>
    private static string Folder() => Found()
        ?? throw new BrumaException($"{SourceName}: not found in {DownloadFolder} or {DebianFolder}; run bruma data download {SourceName}, or on Debian install the package dataset-fashion-mnist.");

    private static string? Found() =>
        new[] { DownloadFolder, DebianFolder }.FirstOrDefault(folder => Directory.Exists(folder) && Directory.EnumerateFiles(folder, "train-images-idx3-ubyte*").Any(file => !file.EndsWith(".part", StringComparison.Ordinal)));

    private static void Check(Uri source, string part, string sum)
    {
        var found = "no gzip file";
        try
        {
            using var unpacked = new GZipStream(File.OpenRead(part), CompressionMode.Decompress);
            found = Convert.ToHexStringLower(SHA256.HashData(unpacked));
        }
        catch (InvalidDataException)
        {
            // said below
        }
        if (found != sum)
            throw new BrumaException($"{source}: the file that came has the content {found}, but the published one has the SHA-256 {sum}; try again or use another address.");
    }
}
