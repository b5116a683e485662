using Bruma.Hub;
using Bruma.StableDiffusion;
using Bruma.Tests.Support;
using Bruma.Text;
using static TorchSharp.torch;

namespace Bruma.Tests.StableDiffusion;

[Collection(TemporaryCache.Variable)]
public sealed class SingleFileTests
{
    private static string Case(string name) => Path.Combine(Repository.Goldens, "formats", $"single-file-{name}");

    [Theory]
    [InlineData("sd1")]
    [InlineData("sd2")]
    [InlineData("sdxl")]
    public void A_file_becomes_a_folder_and_the_folder_the_same_file(string name)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var (diffusers, again) = (Path.Combine(folder.Root, "diffusers"), Path.Combine(folder.Root, "again.safetensors"));
        using var file = SingleFile.Open(Path.Combine(Case(name), "model.safetensors"), Path.Combine(Case(name), "config"));
        CheckpointConversion.ToFolder(file, diffusers);
        CheckpointConversion.ToSingleFile(diffusers, again);

        using var copy = SingleFile.Open(again, Path.Combine(Case(name), "config"));
        Assert.Equal(file.Family, copy.Family);
        Assert.Equal(file.Components, copy.Components);
        foreach (var key in copy.Stored.Tensors.Keys)
        {
            Assert.Equal(file.Stored.Tensors[key].ToString(), copy.Stored.Tensors[key].ToString());
            Assert.True(file.Stored.Read(key).eq(copy.Stored.Read(key)).all().item<bool>(), key);
        }
        var lost = file.Stored.Tensors.Keys.Except(copy.Stored.Tensors.Keys).Where(key => file.Components.SelectMany(component => file.Parts(component).Values).Any(part => part.Stored.Contains(key)));
        Assert.Empty(lost);
    }

    [Fact]
    public void A_file_is_unpacked_once_and_again_where_that_was_cut_short()
    {
        using var folder = new TemporaryFolder();
        using var cache = new TemporaryCache(folder);
        var (path, configs) = (Path.Combine(Case("sd1"), "model.safetensors"), Path.Combine(Case("sd1"), "config"));
        var unpacked = UnpackedCheckpoint.FolderOf(path, configs);
        Assert.StartsWith(UserCache.Root, unpacked, StringComparison.Ordinal);
        Assert.Equal(unpacked, UnpackedCheckpoint.FolderOf(unpacked));
        var weights = Path.Combine(unpacked, "unet", "diffusion_pytorch_model.safetensors");
        var before = File.GetLastWriteTimeUtc(weights);
        Assert.Equal(unpacked, UnpackedCheckpoint.FolderOf(path, configs));
        Assert.Equal(before, File.GetLastWriteTimeUtc(weights));

        File.Delete(Path.Combine(unpacked, "model_index.json"));
        File.WriteAllBytes(weights, [1, 2, 3]);
        Assert.Equal(unpacked, UnpackedCheckpoint.FolderOf(path, configs));
        using var network = UNet2DConditionModel.Load(Path.Combine(unpacked, "unet"));
    }

    [Theory]
    [InlineData("unet")]
    [InlineData("text_encoder")]
    public void Networks_of_other_sizes_than_the_familys_ask_for_their_configs(string component)
    {
        using var file = SingleFile.Open(Path.Combine(Case("sd1"), "model.safetensors"));
        var message = Assert.Throws<BrumaException>(() => file.Weights(component)).Message;
        Assert.Contains("320", message, StringComparison.Ordinal);
        Assert.Contains("--configs", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_becomes_a_file_and_the_file_the_same_folder()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var tiny = Path.Combine(Repository.Goldens, "pipelines", "tiny-sd");
        var single = Path.Combine(folder.Root, "tiny.safetensors");
        CheckpointConversion.ToSingleFile(tiny, single);
        using var file = SingleFile.Open(single, tiny);
        foreach (var component in file.Components)
        {
            using var expected = ModelFolder.Open(Path.Combine(tiny, component));
            var actual = file.Weights(component);
            Assert.Equal(expected.Tensors.Keys.Order(), actual.Tensors.Keys.Order());
            Assert.All(expected.Tensors.Keys, key => Assert.True(expected.Read(key).eq(actual.Read(key)).all().item<bool>(), key));
        }
    }

    [Theory]
    [InlineData("tiny-sd", "tokenizer", "<|endoftext|>")]
    [InlineData("tiny-sdxl", "tokenizer_2", "!")]
    public void The_vocabulary_inside_gives_the_ids_of_the_published_files(string model, string tokenizer, string pad)
    {
        var pipelines = Path.Combine(Repository.Goldens, "pipelines");
        var (published, inside) = (Tokenizer.Load(Path.Combine(pipelines, model, tokenizer), Path.Combine(pipelines, "tiny-sd", "tokenizer")), ClipVocabulary.Tokenizer(pad));
        Assert.Equal(published.VocabularySize, inside.VocabularySize);
        Assert.Equal(published.Options.PadId, inside.Options.PadId);
        Assert.Equal(published.Options.MaxLength, inside.Options.MaxLength);
        foreach (var text in new[] { "", "a photo of a cat!", "Ünïcode 猫 🐱 it's <|endoftext|> 12345", "  many   blanks\n!!!" })
            Assert.Equal(published.Encode(text), inside.Encode(text));
        Assert.Equal(File.ReadAllText(Path.Combine(pipelines, "tiny-sd", "tokenizer", "merges.txt")), ClipVocabulary.Merges());
    }

    [Fact]
    public void Files_of_other_kinds_are_named()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Root, "some.safetensors");
        using (NewDisposeScope())
            SafetensorsFile.Write(path, [KeyValuePair.Create("lora_unet_down_blocks_0.lora_down.weight", zeros(2))]);
        Assert.Contains("LoRA", Assert.Throws<BrumaException>(() => SingleFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2048, "sdxl", true)]
    [InlineData(1280, "sdxl-refiner", false)] // published with force_zeros_for_empty_prompt false
    public void Without_a_negative_prompt_XL_sees_zeros_and_its_refiner_an_empty_one(long context, string family, bool expected)
    {
        using var folder = new TemporaryFolder();
        using (NewDisposeScope())
            SafetensorsFile.Write(folder["model.safetensors"], [KeyValuePair.Create("model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight", zeros(8, context))]);
        Assert.Equal(family, SingleFile.Open(folder["model.safetensors"]).Family.Name);
        Assert.Equal(expected, new ModelSources(folder["model.safetensors"]).ZerosWithoutNegative);
    }

    [Fact]
    public void Families_have_the_published_sizes()
    {
        var parameters = new Dictionary<string, long> { ["sd1"] = 859520964, ["sd2"] = 865910724, ["sdxl"] = 2567463684 };
        foreach (var family in ModelFamily.All.Where(family => parameters.ContainsKey(family.Name)))
        {
            using var network = new UNet2DConditionModel(family.UNet, new Device(TorchSharp.DeviceType.META));
            Assert.Equal(parameters[family.Name], network.parameters().Sum(parameter => parameter.numel()));
            using var autoencoder = new AutoencoderKl(family.Autoencoder, new Device(TorchSharp.DeviceType.META));
            Assert.Equal(83653863, autoencoder.parameters().Sum(parameter => parameter.numel()));
        }
    }
}
