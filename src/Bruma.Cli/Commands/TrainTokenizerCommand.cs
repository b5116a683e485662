using System.CommandLine;
using System.Text.Json;
using Bruma.Data;
using Bruma.Text;
using Bruma.Training;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma train tokenizer</c>: learns a byte-pair vocabulary.</summary>
internal static class TrainTokenizerCommand
{
    private static readonly TokenizerTrainingOptions Defaults = new();

    public static Command Create()
    {
        var data = new Option<string[]>("--data") { Description = $"Text file, folder of .txt files, or {string.Join(" or ", ManPages.Names)}; may be given several times.", Required = true };
        var output = new Option<string>("--output", "-o") { Description = "Folder for the tokenizer; must be new or empty.", Required = true };
        var size = RunOptions.Number("--vocab-size", "Tokens in all, special ones included.", Defaults.VocabularySize);
        var style = RunOptions.Number("--style", "gpt2: text as it is; clip: cleaned words in lower case, the last letter marked with </w>.", Defaults.Style);
        var frequency = RunOptions.Number("--min-frequency", "Rarer pairs are not joined.", Defaults.MinFrequency);
        var length = new Option<int?>("--max-length") { Description = "Tokens that the network will take (model_max_length)." };
        var json = new Option<bool>("--json") { Description = "Print the result as JSON." };
        var command = new Command("tokenizer", "Learn a byte-level byte-pair tokenizer from text. Example: bruma train tokenizer --data book.txt --vocab-size 4096 --output tokenizer/")
        {
            data, output, size, style, frequency, length, json,
        };
        command.SetAction((parsed, _) => Task.Run(() =>
        {
            var options = TrainingSession.Checked(() =>
            {
                var asked = new TokenizerTrainingOptions(parsed.GetValue(size), parsed.GetValue(style)!, parsed.GetValue(frequency), parsed.GetValue(length));
                asked.Check();
                return asked;
            });
            var folder = parsed.GetValue(output)!;
            RunFolder.CheckNew(folder);
            var texts = parsed.GetValue(data)!.Select(TextCorpus.Read).ToList();
            var trained = TokenizerTraining.Train(texts.Select(text => (text, 1)), options);
            trained.Save(folder);
            Report(folder, trained, texts[0], parsed.GetValue(json));
            return 0;
        }));
        return command;
    }

    private static int Longest(TrainedTokenizer trained) => trained.Tokens.Select((token, id) => (token.Length, id)).SkipLast(2).MaxBy(pair => pair.Length).id;

    private static void Report(string folder, TrainedTokenizer trained, string text, bool json)
    {
        var tokenizer = trained.Create();
        var part = text[..Math.Min(text.Length, 100_000)];
        var (ids, longest) = (tokenizer.Encode(part, addSpecialTokens: false), tokenizer.Decode([Longest(trained)]));
        var rate = (double)part.Length / ids.Count;
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(new { folder, vocab_size = trained.Tokens.Count, merges = trained.Merges.Count, characters_per_token = rate, longest_token = longest }));
        else
            Console.WriteLine(FormattableString.Invariant($"{folder}: {trained.Tokens.Count} tokens, {trained.Merges.Count} merges, {rate:0.00} characters a token, the longest \"{longest}\""));
    }
}
