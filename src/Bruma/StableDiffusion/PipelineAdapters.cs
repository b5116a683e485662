using Bruma.Adapters;
using static TorchSharp.torch.nn;

namespace Bruma.StableDiffusion;

public sealed partial class StableDiffusionPipeline
{
    private LoraMerge? _merge;

    /// <summary>The networks by the names that checkpoints have for them.</summary>
    public IReadOnlyDictionary<string, Module> Components
    {
        get
        {
            var names = Prompts.IsXl && Prompts.Encoders.Count == 1 ? ["text_encoder_2"] : new[] { "text_encoder", "text_encoder_2" };
            var components = new Dictionary<string, Module>(StringComparer.Ordinal) { ["unet"] = Network };
            foreach (var (encoder, name) in Prompts.Encoders.Zip(names))
                components[name] = encoder.Network;
            return components;
        }
    }

    /// <summary>Merges adapters (LoRA and its relatives) into the weights, in place of those that were merged before.</summary>
    /// <param name="adapters">Files with the weight of each; 1 where none is given.</param>
    /// <param name="keepOriginals">Whether <see cref="RemoveAdapters"/> shall be possible, for the memory of the changed weights.</param>
    /// <exception cref="BrumaException">A file is damaged, or made for another family of models.</exception>
    public void AddAdapters(IReadOnlyList<NamedFile> adapters, bool keepOriginals = true)
    {
        RemoveAdapters();
        var (components, files) = (Components, new List<LoraFile>());
        try
        {
            foreach (var adapter in adapters)
                files.Add(LoraFile.Load(adapter.Path ?? adapter.Name, components, adapter.Component));
            _merge = new LoraMerge(components);
            _merge.Apply(files.Zip(adapters, (file, adapter) => (file.Updates, adapter.Weight ?? 1)), keepOriginals);
        }
        finally
        {
            foreach (var file in files)
                file.Dispose();
        }
        Identity = Identity with { Adapters = [.. adapters.Select(adapter => adapter with { Path = Path.GetFullPath(adapter.Path ?? adapter.Name) })] };
    }

    /// <summary>Gives the weights their bits back.</summary>
    public void RemoveAdapters()
    {
        _merge?.Remove();
        _merge?.Dispose();
        _merge = null;
        Identity = Identity with { Adapters = [] };
    }

    /// <summary>Takes another autoencoder in place of the model's.</summary>
    /// <param name="folder">With <c>config.json</c> and weights, of as many latent channels and the same reduction.</param>
    public void ReplaceAutoencoder(NamedFile folder)
    {
        var path = Path.GetFullPath(folder.Path ?? folder.Name);
        var (found, own) = (AutoencoderKl.ReadConfig(path), Autoencoder.Config);
        if ((found.LatentChannels, found.Reduction) != (own.LatentChannels, own.Reduction))
            throw new BrumaException($"{folder.Name}: the autoencoder has latents of {found.LatentChannels} channels at 1/{found.Reduction} of the picture's side, the model {own.LatentChannels} at 1/{own.Reduction}; take one that was made for this family of models.");
        var other = AutoencoderKl.Load(path, null, Autoencoder.Precision);
        Autoencoder.Dispose();
        Autoencoder = other;
        Identity = Identity with { Autoencoder = folder with { Path = path } };
    }

    /// <summary>Adds a word with learned vectors (textual inversion).</summary>
    /// <param name="word">The word as prompts write it; null for the one that the file names.</param>
    /// <exception cref="BrumaException">The file is damaged or made for another family of models, or the word exists.</exception>
    public void AddEmbedding(string path, string? word = null)
    {
        using var file = TextualInversionFile.Load(path, word);
        var both = Prompts.Encoders.Count > 1;
        if (both && file.SecondVectors is null)
            throw new BrumaException($"{path}: has vectors for one text encoder, but the model has two; take an embedding that was made for SDXL.");
        Prompts.Encoders[0].AddToken(file.Token, both || !Prompts.IsXl ? file.Vectors : file.SecondVectors ?? file.Vectors);
        if (both)
            Prompts.Encoders[1].AddToken(file.Token, file.SecondVectors!);
        Identity = Identity with { Embeddings = [.. Identity.Embeddings, new NamedFile(file.Token, Path.GetFullPath(path))] };
    }
}
