using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace Bruma.Data;

/// <summary>Some pictures of a source.</summary>
public sealed class ImageSubset : ImageSource
{
    private readonly ImageSource _whole;
    private readonly int[] _chosen;

    public ImageSubset(ImageSource whole, Func<ImageExample, bool> takes)
    {
        _whole = whole;
        _chosen = [.. Enumerable.Range(0, whole.Examples.Count).Where(i => takes(whole.Examples[i]))];
        Examples = [.. _chosen.Select(i => whole.Examples[i])];
    }

    public override string Name => _whole.Name;

    public override string Layout => $"{_whole.Layout}, {_chosen.Length} of {_whole.Examples.Count} pictures";

    public override IReadOnlyList<ImageExample> Examples { get; }

    public override IReadOnlyList<string> ClassNames => _whole.ClassNames;

    public override int Channels => _whole.Channels;

    public override Tensor Load(int index) => _whole.Load(_chosen[index]);

    public override string Sha256() =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{_whole.Sha256()}\n{string.Join('\n', Examples.Select(example => example.Name))}")));
}
