using System.Text.Json;
using Bruma.Hub;
using Bruma.Nn;
using Bruma.Tests.Support;
using Bruma.Transformers;

namespace Bruma.Tests.Recipes;

/// <summary>A BERT of 2 layers with a vocabulary of some words, and texts that it can learn to tell apart.</summary>
internal static class TinyBert
{
    private static readonly string[] Animals = ["cat", "dog", "cow", "hen", "fox", "owl"];
    private static readonly string[] Tools = ["saw", "axe", "drill", "file", "rasp", "plane"];
    private static readonly string[] Others = ["the", "a", "old", "new", "big", "is", "here", "there", "."];

    public static string Write(TemporaryFolder folder)
    {
        var root = Path.GetDirectoryName(folder["model/config.json"])!;
        string[] vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. Animals, .. Tools, .. Others];
        var config = new BertConfig(VocabSize: vocabulary.Length, HiddenSize: 16, NumHiddenLayers: 2, NumAttentionHeads: 2, IntermediateSize: 32, MaxPositionEmbeddings: 24);
        using var network = new BertModel(config);
        using (var random = HashedSeed.At(7))
            Initialization.Reset(network, random);
        ModuleWeights.Save(network, Path.Combine(root, "model.safetensors"));
        File.WriteAllText(Path.Combine(root, "config.json"), JsonSerializer.Serialize(new
        {
            model_type = "bert",
            vocab_size = vocabulary.Length,
            hidden_size = 16,
            num_hidden_layers = 2,
            num_attention_heads = 2,
            intermediate_size = 32,
            max_position_embeddings = 24,
        }));
        File.WriteAllLines(Path.Combine(root, "vocab.txt"), vocabulary);
        File.WriteAllText(Path.Combine(root, "tokenizer_config.json"), "{\"do_lower_case\": true, \"pad_token\": \"[PAD]\", \"unk_token\": \"[UNK]\", \"cls_token\": \"[CLS]\", \"sep_token\": \"[SEP]\"}");
        return root;
    }

    /// <summary>Texts about animals and about tools.</summary>
    public static string WriteTexts(TemporaryFolder folder, int count = 60)
    {
        var path = folder["texts.jsonl"];
        File.WriteAllLines(path, Enumerable.Range(0, count).Select(i =>
        {
            var words = i % 2 == 0 ? Animals : Tools;
            return JsonSerializer.Serialize(new { text = $"the {Others[2 + i / 2 % 3]} {words[i / 2 % 6]} is {(i % 3 == 0 ? "here" : "there")} .", label = i % 2 == 0 ? "animal" : "tool" });
        }));
        return path;
    }
}
