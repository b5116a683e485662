using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Data.Emoji;

/// <summary>The built data set: pictures of 128 px with transparency, and what they show.</summary>
public sealed class EmojiDataset : IDisposable
{
    private readonly string _folder;
    private readonly Lazy<Tensor> _pixels; // large, so read once whoever asks first
    private readonly Lazy<Tensor> _toned;

    private EmojiDataset(string folder, EmojiIndex index, string sha256)
    {
        (_folder, Index, Sha256) = (folder, index, sha256);
        _pixels = new Lazy<Tensor>(() => ReadPixels(EmojiFiles.Pictures, index.Pictures.Count));
        _toned = new Lazy<Tensor>(() => ReadPixels(EmojiFiles.Tones, index.Toned.Count));
    }

    /// <summary>Height and width of a picture.</summary>
    public static int Size => EmojiRaster.Size;

    public EmojiIndex Index { get; }

    /// <summary>Over pixels, names, sources and the version of the program that drew.</summary>
    public string Sha256 { get; }

    public IReadOnlyList<EmojiConcept> Concepts => Index.Concepts;

    public IReadOnlyList<EmojiPicture> Pictures => Index.Pictures;

    /// <summary>uint8 [N, 4, 128, 128]: red, green, blue, alpha; read when first asked for.</summary>
    public Tensor Pixels => _pixels.Value;

    /// <summary>The same of the pictures with skin tones.</summary>
    public Tensor TonedPixels => _toned.Value;

    /// <summary>Where <c>bruma data build</c> puts a data set of this name without <c>--cache</c>.</summary>
    public static string DefaultFolder(string name) => DataCache.Folder(name);

    /// <summary>Whether a finished data set is in the folder.</summary>
    public static bool IsIn(string folder) => EmojiFiles.Exist(folder);

    /// <exception cref="BrumaException">There is no finished data set in the folder.</exception>
    public static EmojiDataset Open(string folder)
    {
        var (index, sha256) = EmojiFiles.Read(folder);
        return new EmojiDataset(folder, index, sha256);
    }

    public void Dispose()
    {
        if (_pixels.IsValueCreated)
            _pixels.Value.Dispose();
        if (_toned.IsValueCreated)
            _toned.Value.Dispose();
    }

    private Tensor ReadPixels(string file, int count)
    {
        using var stored = new SafetensorsFile(Path.Combine(_folder, file));
        var pixels = stored.Read("rgba").DetachFromDisposeScope();
        return pixels.shape[0] == count ? pixels : throw new BrumaException($"{Path.Combine(_folder, file)}: has {pixels.shape[0]} pictures where {EmojiFiles.Index} lists {count}; build the data set again.");
    }
}
