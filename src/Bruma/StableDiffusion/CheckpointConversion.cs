using System.Text.Json;
using System.Text.Json.Nodes;
using Bruma.Diffusion;
using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using Bruma.Text;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Between single files and diffusers folders, both ways and bit for bit; tensors pass one at a time.</summary>
public static class CheckpointConversion
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly Dictionary<string, string> Format = new(StringComparer.Ordinal) { ["format"] = "pt" };

    /// <summary>Writes the networks of a single file, its family's scheduler and CLIP's vocabulary as a folder that diffusers reads.</summary>
    /// <param name="folder">New or empty.</param>
    /// <param name="floats">The type in which weights are stored; null for the file's own.</param>
    /// <param name="prediction">See <see cref="SingleFile.Scheduler"/>.</param>
    public static void ToFolder(SingleFile file, string folder, ScalarType? floats = null, PredictionType? prediction = null)
    {
        foreach (var component in file.Components)
        {
            var (target, isNetwork) = (Path.Combine(folder, component), component is "unet" or "vae");
            var weights = Complete(file.Weights(component), file.Parts(component).Keys);
            SafetensorsFile.Copy(Path.Combine(target, isNetwork ? "diffusion_pytorch_model.safetensors" : "model.safetensors"), weights, Format, floats);
            WriteConfig(file, component, target);
        }
        foreach (var encoder in file.Family.Encoders.Where(encoder => file.Has(encoder.Component)))
            WriteTokenizer(Path.Combine(folder, encoder.Tokenizer), encoder.PadToken);
        file.Scheduler(prediction).Save(Path.Combine(folder, "scheduler", "scheduler_config.json"));
        AtomicFile.WriteText(Path.Combine(folder, "model_index.json"), Index(file).ToJsonString(Indented) + "\n");
    }

    /// <summary>Writes the networks of a diffusers folder as one file in the layout of the original code.</summary>
    /// <param name="variant">Of the folder's weights.</param>
    /// <exception cref="BrumaException">A part is missing, damaged, or has no place in that layout.</exception>
    public static void ToSingleFile(string folder, string path, ScalarType? floats = null, string? variant = null)
    {
        var sources = new ModelSources(folder);
        var layout = new FolderLayout(sources);
        var (opened, joined) = (new List<ITensorSource>(), new List<ITensorSource>());
        try
        {
            foreach (var (component, parts) in layout.Components())
            {
                var source = ModelFolder.Open(sources.PathOf(component), variant);
                opened.Add(source);
                joined.Add(Complete(new DerivedTensors(Current(source, parts.Keys), FolderLayout.Reverse(parts)), FolderLayout.Reverse(parts).Keys));
            }
            SafetensorsFile.Copy(path, new JoinedTensors(folder, joined), Format, floats);
        }
        finally
        {
            opened.ForEach(source => source.Dispose());
        }
    }

    /// <summary>Writes a diffusers folder again with its weights in another type; everything else is copied.</summary>
    public static void Retype(string folder, string output, ScalarType? floats, string? variant = null)
    {
        var sources = new ModelSources(folder);
        foreach (var component in sources.Parts)
        {
            var target = Path.Combine(output, Path.GetFileName(component));
            if (ModelFolder.HasWeights(component))
            {
                using var source = ModelFolder.Open(component, variant);
                var name = Path.GetFileName(ModelFolder.FindWeights(component, variant)).StartsWith("diffusion", StringComparison.Ordinal) ? "diffusion_pytorch_model" : "model";
                SafetensorsFile.Copy(Path.Combine(target, $"{name}.safetensors"), source, Format, floats);
            }
            foreach (var file in Directory.EnumerateFiles(component).Where(IsText))
                AtomicFile.Write(Path.Combine(target, Path.GetFileName(file)), stream => stream.Write(File.ReadAllBytes(file)));
        }
        foreach (var file in Directory.EnumerateFiles(folder).Where(IsText))
            AtomicFile.Write(Path.Combine(output, Path.GetFileName(file)), stream => stream.Write(sources.Standalone(file)));
    }

    private static bool IsText(string file) => (file.EndsWith(".json", StringComparison.Ordinal) && !file.EndsWith(".index.json", StringComparison.Ordinal) && !file.Contains(".index.", StringComparison.Ordinal)) || file.EndsWith(".txt", StringComparison.Ordinal) || file.EndsWith(".md", StringComparison.Ordinal);

    private static ITensorSource Complete(ITensorSource source, IEnumerable<string> names)
    {
        var missing = names.Where(name => !source.Tensors.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();
        return missing.Count == 0 ? source : throw new BrumaException($"{source.Origin}: lacks {missing.Count} tensors ({string.Join(", ", missing.Take(4))}{(missing.Count > 4 ? ", ..." : "")}); it is incomplete, or of another size than its config says.");
    }

    /// <summary>The weights under today's names, where the file has the first names of attention layers.</summary>
    private static DerivedTensors Current(ITensorSource source, IEnumerable<string> known)
    {
        var names = known.ToHashSet(StringComparer.Ordinal);
        var rename = WeightOptions.FirstAttentionNames.Rename!;
        return new DerivedTensors(source, source.Tensors.Keys.Select(name => (Name: names.Contains(name) ? name : rename(name) ?? name, Stored: name))
            .DistinctBy(pair => pair.Name).ToDictionary(pair => pair.Name, pair => new TensorPart(pair.Stored), StringComparer.Ordinal));
    }

    private static void WriteConfig(SingleFile file, string component, string folder)
    {
        if (component == "unet")
            NetworkFiles.SaveConfig(folder, nameof(UNet2DConditionModel), file.UNetConfig, StableDiffusionConfigs.Default.UNet2DConditionConfig);
        else if (component == "vae")
            NetworkFiles.SaveConfig(folder, "AutoencoderKL", file.AutoencoderConfig, StableDiffusionConfigs.Default.AutoencoderKlConfig);
        else
            TransformerFiles.SaveConfig(folder, file.Layout(component).ClassName, "clip_text_model", file.Layout(component).Config, TransformerConfigs.Default.ClipTextConfig);
    }

    private static void WriteTokenizer(string folder, string pad)
    {
        var vocabulary = new JsonObject(ClipVocabulary.Tokens().OrderBy(token => token.Key, StringComparer.Ordinal).Select(token => KeyValuePair.Create(token.Key, (JsonNode?)token.Value)));
        AtomicFile.WriteText(Path.Combine(folder, "vocab.json"), vocabulary.ToJsonString());
        AtomicFile.WriteText(Path.Combine(folder, "merges.txt"), ClipVocabulary.Merges());
        var config = new JsonObject
        {
            ["bos_token"] = "<|startoftext|>",
            ["clean_up_tokenization_spaces"] = false,
            ["do_lower_case"] = true,
            ["eos_token"] = "<|endoftext|>",
            ["errors"] = "replace",
            ["model_max_length"] = ClipVocabulary.MaxLength,
            ["pad_token"] = pad,
            ["tokenizer_class"] = "CLIPTokenizer",
            ["unk_token"] = "<|endoftext|>",
        };
        AtomicFile.WriteText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString(Indented) + "\n");
        var special = new JsonObject { ["bos_token"] = "<|startoftext|>", ["eos_token"] = "<|endoftext|>", ["pad_token"] = pad, ["unk_token"] = "<|endoftext|>" };
        AtomicFile.WriteText(Path.Combine(folder, "special_tokens_map.json"), special.ToJsonString(Indented) + "\n");
    }

    private static JsonObject Index(SingleFile file)
    {
        var index = new JsonObject { ["_class_name"] = file.Family.Pipeline, ["_diffusers_version"] = NetworkFiles.FormatVersion };
        if (file.Family.Pipeline == "StableDiffusionPipeline")
            foreach (var absent in new[] { "feature_extractor", "safety_checker" })
                index[absent] = new JsonArray(null, null);
        if (file.Family == ModelFamily.Sdxl || file.Family == ModelFamily.SdxlRefiner)
            index["force_zeros_for_empty_prompt"] = file.Family.ZerosWithoutNegative;
        if (file.Family == ModelFamily.SdxlRefiner)
        {
            index["requires_aesthetics_score"] = true;
            foreach (var absent in new[] { "text_encoder", "tokenizer" })
                index[absent] = new JsonArray(null, null);
        }
        index["scheduler"] = new JsonArray("diffusers", file.Family.Scheduler);
        foreach (var encoder in file.Family.Encoders.Where(encoder => file.Has(encoder.Component)))
        {
            index[encoder.Component] = new JsonArray("transformers", encoder.ClassName);
            index[encoder.Tokenizer] = new JsonArray("transformers", "CLIPTokenizer");
        }
        index["unet"] = new JsonArray("diffusers", nameof(UNet2DConditionModel));
        if (file.Has("vae"))
            index["vae"] = new JsonArray("diffusers", "AutoencoderKL");
        return index;
    }
}
