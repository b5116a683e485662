using System.Security.Cryptography;
using System.Text;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>What a control network is shown of a picture: its outline, or a picture of the user's own that <c>metadata.jsonl</c> names.</summary>
internal sealed class ControlPictures
{
    /// <summary>As in the data sets of diffusers' script.</summary>
    public const string Column = "conditioning_image";

    private readonly ImageSource _source;

    private ControlPictures(ImageSource source)
    {
        _source = source;
        IsOwn = source.Examples.Any(example => Named(example) is not null);
    }

    /// <summary>Whether the data set has its own.</summary>
    public bool IsOwn { get; }

    /// <summary>Null for runs without a control network.</summary>
    public static ControlPictures? For(AdaptationOptions options, ImageSource source) => options.IsSteered ? new ControlPictures(source) : null;

    /// <param name="picture">As loaded, uint8 [1 or 3, H, W].</param>
    /// <param name="pixels">The square of it that is trained on, uint8 [3, S, S].</param>
    /// <returns>uint8 [1, S, S] of an outline, else [3, S, S].</returns>
    /// <exception cref="BrumaException">The named picture is missing, or broken.</exception>
    public Tensor Of(ImageExample example, Tensor picture, Tensor pixels)
    {
        if (!IsOwn)
            return EdgeFilter.Outline(pixels);
        using var scope = NewDisposeScope();
        var (height, width) = ((int)picture.shape[1], (int)picture.shape[2]);
        var own = Resampling.Resize(ImageFile.Load(PathOf(example)), width, height, ResampleFilter.Bicubic);
        return PictureSquare.Cut(own, example, (int)pixels.shape[1]).MoveToOuterDisposeScope();
    }

    /// <summary>SHA-256 over the pictures and what is shown of them.</summary>
    public string Sum(string pictures) => IsOwn
        ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{pictures}\n{string.Join('\n', _source.Examples.Select(example => Named(example) is null || !File.Exists(PathOf(example)) ? "" : FileHash.Sha256(PathOf(example))))}")))
        : pictures;

    /// <summary>As the network takes it, [1, 3, S, S] in [0, 1].</summary>
    public static Tensor Values(Tensor picture)
    {
        using var scope = NewDisposeScope();
        return (picture.expand(3, -1, -1).unsqueeze(0).to(float32) / 255).MoveToOuterDisposeScope();
    }

    private static string? Named(ImageExample example) => example.Columns?.GetValueOrDefault(Column) is { Length: > 0 } name ? name : null;

    private string PathOf(ImageExample example)
    {
        var name = Named(example) ?? throw new BrumaException($"{_source.Name}/{example.Name}: has no \"{Column}\" in metadata.jsonl where others have one; name one, or remove them all for outlines.");
        var (folder, path) = (Path.GetFullPath(_source.Name), Path.GetFullPath(Path.Combine(_source.Name, name)));
        return path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new BrumaException($"{_source.Name}/{example.Name}: {Column} \"{name}\" leaves the folder; keep the pictures inside it.");
    }
}
