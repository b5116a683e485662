using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Bruma.Nn;
using Bruma.Transformers;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma complete</c>: goes on with a text, or rewrites one with an encoder-decoder.</summary>
internal static class CompleteCommand
{
    private static readonly GenerationOptions Defaults = new(MaxNewTokens: 100);

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "Folder of a run, or of a GPT-2, Llama or T5 of Hugging Face's layout." };
        var prompt = new Argument<string>("text") { Description = "Beginning of the text, or the text to rewrite; - reads standard input.", DefaultValueFactory = _ => "" };
        var most = RunOptions.Number("--max-new-tokens", "Tokens to write at most.", Defaults.MaxNewTokens);
        var least = RunOptions.Number("--min-new-tokens", "Tokens before which the text does not end.", Defaults.MinNewTokens);
        var temperature = new Option<double?>("--temperature") { Description = "Below 1 safer, above 1 bolder; 0 takes the likeliest token (default: 0.8 for language models, 0 for encoder-decoders)." };
        var topK = RunOptions.Number("--top-k", "Draw among the k likeliest; 0 for all.", 0);
        var topP = RunOptions.Number("--top-p", "Draw among the fewest tokens with this probability together.", 1.0);
        var minP = RunOptions.Number("--min-p", "Draw among tokens at least this likely against the likeliest.", 0.0);
        var typical = RunOptions.Number("--typical-p", "Draw among the most typical tokens with this probability together.", 1.0);
        var penalty = RunOptions.Number("--repetition-penalty", "Above 1 makes tokens that are there already less likely.", 1.0);
        var ngram = RunOptions.Number("--no-repeat-ngram-size", "No sequence of so many tokens comes twice; 0 for no such rule.", 0);
        var beams = RunOptions.Number("--num-beams", "Follow so many continuations at once, without chance.", 1);
        var lengthPenalty = RunOptions.Number("--length-penalty", "Exponent of the length that a beam's score is divided by.", 1.0);
        var count = RunOptions.Number("--count", "Texts to write.", 1);
        var stops = new Option<string[]>("--stop") { Description = "Stop before this text; may be given several times." };
        var seed = new Option<long?>("--seed") { Description = "Seed of what is drawn (default: drawn and printed)." };
        var threads = RunOptions.Number("--threads", "Threads (default: all processors).", 0);
        var json = new Option<bool>("--json") { Description = "Print the result as JSON." };
        var command = new Command("complete", "Go on with a text, or rewrite it with an encoder-decoder. Example: bruma complete runs/lm \"El comando\" --temperature 0.8 --top-p 0.95")
        {
            model, prompt, most, least, temperature, topK, topP, minP, typical, penalty, ngram, beams, lengthPenalty, count, stops, seed, threads, json,
        };
        command.SetAction((parsed, cancellation) => TrainingSession.OnOwnThread(() =>
        {
            Native.UseThreads(parsed.GetValue(threads));
            using var generator = TextGenerator.Load(TextModels.Find(parsed.GetValue(model)!));
            var heat = parsed.GetValue(temperature) ?? (generator.Rewrites || parsed.GetValue(beams) > 1 ? 0 : 0.8);
            var options = TrainingSession.Checked(() =>
            {
                var asked = Defaults with
                {
                    MaxNewTokens = parsed.GetValue(most),
                    MinNewTokens = parsed.GetValue(least),
                    DoSample = heat != 0,
                    Temperature = heat == 0 ? 1 : heat,
                    TopK = parsed.GetValue(topK),
                    TopP = parsed.GetValue(topP),
                    MinP = parsed.GetValue(minP),
                    TypicalP = parsed.GetValue(typical),
                    RepetitionPenalty = parsed.GetValue(penalty),
                    NoRepeatNgramSize = parsed.GetValue(ngram),
                    NumBeams = parsed.GetValue(beams),
                    LengthPenalty = parsed.GetValue(lengthPenalty),
                    NumReturnSequences = parsed.GetValue(count),
                };
                asked.Check();
                return asked;
            });
            var text = parsed.GetValue(prompt) == "-" ? Console.In.ReadToEnd() : parsed.GetValue(prompt)!;
            Write(generator, text, options, (parsed.GetValue(stops) ?? [], parsed.GetValue(seed) ?? Random.Shared.Next(), parsed.GetValue(json)), cancellation);
            return 0;
        }));
        return command;
    }

    private static void Write(TextGenerator generator, string prompt, GenerationOptions options, (string[] Stops, long Seed, bool Json) how, CancellationToken cancellation)
    {
        using var random = HashedSeed.At(how.Seed, 6);
        var watch = Stopwatch.StartNew();
        if (how.Json || options.NumBeams > 1 || options.NumReturnSequences > 1)
        {
            var texts = generator.Write(prompt, options, how.Stops, random);
            if (how.Json)
                Console.WriteLine(JsonSerializer.Serialize(new
                {
                    prompt,
                    seed = options.DoSample ? how.Seed : (long?)null,
                    tokens_per_second = texts.Sum(text => text.Tokens) / watch.Elapsed.TotalSeconds,
                    texts = texts.Select(text => new { text = text.Text, tokens = text.Tokens, score = text.Score, finish_reason = text.Ended ? "stop" : "length" }),
                }));
            else
                foreach (var text in texts)
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(options.NumBeams > 1 ? $"{text.Score,8:0.000}  " : "")}{(generator.Rewrites ? "" : prompt)}{text.Text}"));
            return;
        }
        if (!generator.Rewrites)
            Console.Write(prompt);
        foreach (var piece in generator.Stream(prompt, options, how.Stops, random).TakeWhile(_ => !cancellation.IsCancellationRequested))
            Console.Write(piece);
        Console.WriteLine();
        if (options.DoSample)
            Console.Error.WriteLine($"seed {how.Seed}");
    }
}
