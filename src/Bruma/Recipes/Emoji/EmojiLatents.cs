using Bruma.Data.Emoji;
using Bruma.Hub;
using Bruma.Nn;
using Bruma.StableDiffusion;
using static TorchSharp.torch;

namespace Bruma.Recipes.Emoji;

/// <summary>All that the denoiser learns from, encoded once: every picture that may be shown, its mirror image where that shows the same, and composed scenes.</summary>
internal sealed class EmojiLatents : IDisposable
{
    /// <summary>Of the latents, in every size of picture.</summary>
    public const int Side = 16;

    private const string Key = "latents";
    private const int Batch = 32;
    private const long Composing = 31;

    private readonly List<EmojiScene> _scenes;
    private readonly int[] _mirrors; // of plain pictures: the place of the mirror image, or their own

    private EmojiLatents(List<EmojiScene> scenes, int[] mirrors, int composed, Tensor values) =>
        (_scenes, _mirrors, Composed, Values) = (scenes, mirrors, composed, values);

    /// <summary>bf16 [N, C, 16, 16]: the means, of unit variance.</summary>
    public Tensor Values { get; }

    /// <summary>Pictures that are no composition and no mirror image: the first of all.</summary>
    public int Plain => _mirrors.Length;

    /// <summary>Compositions: the last of all.</summary>
    public int Composed { get; }

    public EmojiScene Scene(int place) => _scenes[place];

    public int MirrorOf(int plain) => _mirrors[plain];

    public int ComposedAt(int i) => _scenes.Count - Composed + i;

    /// <summary>Reads the run's file, or encodes everything and writes it.</summary>
    public static EmojiLatents Open(string file, EmojiDataset data, EmojiScenes scenes, AutoencoderKl autoencoder, (int Composed, long Seed) options)
    {
        var all = scenes.Shown.Select(picture => scenes.Plain(picture)).ToList();
        var mirrors = Enumerable.Range(0, all.Count).ToArray();
        for (var i = 0; i < mirrors.Length; i++)
            if (data.Concepts[data.Pictures[all[i].Picture].Concept].HasNoSide)
            {
                mirrors[i] = all.Count;
                all.Add(all[i] with { Mirror = true });
            }
        all.AddRange(Enumerable.Range(0, options.Composed).Select(i => scenes.Composed(new HashedDraws(options.Seed, Composing, i))));
        if (!File.Exists(file))
            using (var encoded = Encode(autoencoder, new EmojiScenePainter(data, scenes, Side * autoencoder.Config.Reduction), all))
                SafetensorsFile.Write(file, [new(Key, encoded)]);
        using var stored = new SafetensorsFile(file);
        var values = stored.Read(Key).DetachFromDisposeScope();
        return values.shape[0] == all.Count ? new EmojiLatents(all, mirrors, options.Composed, values)
            : throw new BrumaException($"{file}: has {values.shape[0]} latents where the data gives {all.Count}; delete it, and it is made again.");
    }

    /// <summary>Means of the encoder's distribution, in the order of the scenes.</summary>
    /// <returns>bf16 [N, C, 16, 16].</returns>
    public static Tensor Encode(AutoencoderKl autoencoder, EmojiScenePainter painter, IEnumerable<EmojiScene> scenes)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var parts = new List<Tensor>();
        foreach (var part in scenes.Chunk(Batch))
        {
            using var own = NewDisposeScope();
            parts.Add(autoencoder.Encode(stack([.. part.Select(painter.Paint)])).Mean.to(bfloat16).MoveToOuterDisposeScope());
        }
        return cat(parts).DetachFromDisposeScope();
    }

    public void Dispose() => Values.Dispose();
}
