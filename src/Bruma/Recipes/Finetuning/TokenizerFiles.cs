namespace Bruma.Recipes.Finetuning;

/// <summary>The files of a tokenizer, for a model that keeps the one it was trained with.</summary>
internal static class TokenizerFiles
{
    private static readonly string[] Names = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt"];

    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var name in Names.Where(name => File.Exists(Path.Combine(from, name))))
        {
            var target = Path.Combine(to, name);
            File.WriteAllBytes(target, File.ReadAllBytes(Path.Combine(from, name))); // not File.Copy: a read-only source would make a read-only copy
        }
    }
}
