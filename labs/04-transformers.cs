#!/usr/bin/env dotnet
#:project ../src/Bruma
#:property PublishAot=false

// Lab 4: take a Transformer apart, and put one together.
//
//   dotnet run labs/04-transformers.cs                 some ten minutes on two cores
//   dotnet run labs/04-transformers.cs -- --quick      the same with a few training steps, to see that all works
//   dotnet run labs/04-transformers.cs -- --output runs/lab4
//
// 1 attention by hand   2 several heads, masks, a cache   3 what positions are   4 an encoder-decoder learns a task
// 5 where it looks   6 position encodings compared   7 a language model writes   8 static and contextual vectors

using Bruma.Data.Sequences;
using Bruma.Nn;
using Bruma.Recipes;
using Bruma.Transformers;
using Bruma.Transformers.Embeddings;
using Bruma.Verification;
using static TorchSharp.torch;

var quick = args.Contains("--quick");
var output = Array.IndexOf(args, "--output") is var at and >= 0 ? args[at + 1] : Path.Combine(Path.GetTempPath(), $"bruma-lab4-{DateTime.Now:yyyyMMdd-HHmmss}");
Directory.CreateDirectory(output);
using var lab = NewDisposeScope();

Title("1. Attention by hand");
// Three tokens, two numbers each. Each token asks (query), offers (key) and tells (value).
var query = tensor(new float[,] { { 1, 0 }, { 0, 1 }, { 1, 1 } }).view(1, 1, 3, 2); // [B, N, T, d]
var key = tensor(new float[,] { { 1, 0 }, { 0, 1 }, { 0, 0 } }).view(1, 1, 3, 2);
var value = tensor(new float[,] { { 10, 0 }, { 0, 10 }, { 5, 5 } }).view(1, 1, 3, 2);
var byHand = matmul(matmul(query, key.transpose(-1, -2)).div(Math.Sqrt(2)).softmax(-1), value); // softmax(q kT / sqrt(d)) v
var (mixed, weights) = AttentionProduct.Weighted(query, key, value, bias: null, scale: 1 / Math.Sqrt(2));
Console.WriteLine($"by hand and by the library: largest difference {(byHand - mixed).abs().max().item<float>():0.0e+00}");
Print("how much each token (row) looks at each other (column)", weights[0, 0]);
Print("the same when a token may not see those behind it", AttentionProduct.Weighted(query, key, value, AttentionBias.Create(null, (3, 3), causal: true, float32, CPU), 1 / Math.Sqrt(2)).Weights[0, 0]);

Title("2. Several heads, and a cache");
// A head is a slice of the width with attention of its own; writing token by token, keys and values of earlier tokens are kept.
using var random = new Generator(1, CPU);
using var model = new DecoderTransformer(vocabularySize: 20, new TransformerPlan(32, 4, 2, 2, 64, Dropout: 0), "rotary", maxPositions: 64);
model.Reset(random);
model.eval();
var ids = tensor(new long[,] { { 3, 9, 4, 11, 7, 2 } });
using (no_grad())
using (var cache = new KeyValueCache(model.Layers))
{
    var read = model.Read(ids, new TextPass(KeepWeights: true));
    Console.WriteLine($"attention weights of a layer: [{string.Join(", ", read.Attentions[0].shape)}] = text, heads, queries, keys");
    var whole = model.Predict(read.LastHiddenState);
    var steps = cat([.. Enumerable.Range(0, 6).Select(i => model.call(ids.narrow(1, i, 1), new TextPass(Cache: cache)))], 1);
    Console.WriteLine($"all at once and token by token with a cache: largest difference {(whole - steps).abs().max().item<float>():0.0e+00}");
}

Title("3. Positions");
// Attention sees a set. Without positions, an encoder cannot tell "dog bites man" from "man bites dog".
foreach (var kind in PositionScheme.Kinds)
{
    using var encoder = new SequenceTransformer(new SequenceTransformerConfig(20, new TransformerPlan(32, 4, 1, 1, 64, 0), kind, 64));
    using var start = new Generator(1, CPU);
    encoder.Reset(start);
    encoder.eval();
    using var still = no_grad();
    var forth = encoder.call(new SequencePair(tensor(new long[,] { { 5, 6, 7 } }), null, tensor(new long[,] { { 1 } })));
    var back = encoder.call(new SequencePair(tensor(new long[,] { { 7, 6, 5 } }), null, tensor(new long[,] { { 1 } })));
    Console.WriteLine($"  {kind,-10} a sentence and its reverse differ by {(forth - back).abs().max().item<float>():0.0000}");
}

Title("4. An encoder-decoder learns to read numbers");
var run = Path.Combine(output, "numbers");
var settings = new RunSettings(quick ? 8 : 1200, BatchSize: quick ? 8 : 32, CheckpointEvery: 400, SampleEvery: quick ? 8 : 200, Seed: 1, LearningRate: 2e-3, Threads: get_num_threads());
using (var training = SequenceTraining.Start(run, new SequenceOptions("numbers-es", settings, Width: quick ? 32 : 64, Dropout: 0, ReportExamples: quick ? 5 : 300)))
{
    foreach (var line in training.Introduction)
        Console.WriteLine(line);
    foreach (var report in training.Run())
        if (report.Extra.Count > 0)
            Console.WriteLine($"  step {report.Step}: loss {report.Loss:0.000}, {100 * report.Extra[0].Value:0} % of unseen numbers right");
    foreach (var line in training.Finish())
        Console.WriteLine(line);
}

Title("5. Ask it, and see where it looked");
using (var writer = TextGenerator.Load(Path.Combine(run, "model")))
    foreach (var words in new[] { "veintiuno", SpanishNumberTask.Words(716_522), SpanishNumberTask.Words(90_014) })
    {
        var best = writer.Write(words, new GenerationOptions(8, NumBeams: 3, NumReturnSequences: 2));
        Console.WriteLine($"  {words}: {best[0].Text} (second: {best[1].Text})");
    }
Console.WriteLine($"cross-attention: {Path.Combine(run, "attention-1-layer-1.png")} and its neighbours");

Title("6. Which positions carry over to longer texts?");
var compared = quick ? new PositionOptions(Kinds: ["sinusoidal", "rotary", "none"]).Shortened() : new PositionOptions(Steps: 600);
var results = new List<PositionResult>();
foreach (var result in new PositionComparison(compared).Run())
    results.Add(result);
foreach (var line in PositionReport.Write(Path.Combine(output, "positions"), compared, results))
    Console.WriteLine(line);

Title("7. A language model writes");
// Learned here from the lab's own text in seconds: it knows little, but sampling works as in large ones.
var text = Path.Combine(output, "text.txt");
File.WriteAllText(text, string.Concat(Enumerable.Range(0, 2500).Select(i => $"{SpanishNumberTask.Words(i)} y {SpanishNumberTask.Words(i % 30)} son {SpanishNumberTask.Words(i + i % 30)}.\n")));
using (var training = LanguageModelTraining.Start(Path.Combine(output, "lm"), new LanguageModelOptions(text, settings with { Steps = quick ? 6 : 400, SampleEvery = 0 }, VocabSize: 320, Context: 48, Width: quick ? 32 : 96, Heads: 4, Layers: 2)))
{
    foreach (var _ in training.Run())
    {
    }
    foreach (var line in training.Finish())
        Console.WriteLine(line);
}
using (var writer = TextGenerator.Load(Path.Combine(output, "lm", "model")))
    foreach (var (how, options) in new (string, GenerationOptions)[]
    {
        ("likeliest", new GenerationOptions(24)),
        ("temperature 0.7", new GenerationOptions(24, DoSample: true, Temperature: 0.7)),
        ("temperature 1.5, top-k 10", new GenerationOptions(24, DoSample: true, Temperature: 1.5, TopK: 10)),
    })
    {
        using var draw = new Generator(7, CPU);
        Console.WriteLine($"  {how}: veinte y tres son{string.Concat(writer.Stream("veinte y tres son", options, [".\n"], draw))}");
    }

Title("8. Static and contextual vectors");
if (SharedFolder.Find(Directory.GetCurrentDirectory(), "models") is { } models && Directory.Exists(Path.Combine(models, "all-MiniLM-L6-v2")) && Directory.Exists(Path.Combine(models, "wordllama-256")))
{
    string[] sentences = ["He sat on the bank of the river.", "She took the money to the bank.", "The stream ran past the meadow."];
    foreach (var name in new[] { "wordllama-256", "all-MiniLM-L6-v2" })
    {
        using var embedder = TextEmbedders.Load(Path.Combine(models, name));
        var vectors = embedder.InWindows(sentences).SelectMany(window => window.Vectors).ToList();
        Console.WriteLine($"  {name}: river bank and money bank {Cosine(vectors[0], vectors[1]):0.00}, river bank and stream {Cosine(vectors[0], vectors[2]):0.00}");
    }
}
else
{
    Console.WriteLine("needs models/all-MiniLM-L6-v2 and models/wordllama-256 in the folder that BRUMA_SHARED names");
}
Console.WriteLine($"\nEverything is in {output}");

static void Title(string text) => Console.WriteLine($"\n{text}");

static void Print(string what, Tensor matrix)
{
    Console.WriteLine(what);
    for (var row = 0; row < matrix.shape[0]; row++)
        Console.WriteLine("  " + string.Join("  ", Enumerable.Range(0, (int)matrix.shape[1]).Select(column => $"{matrix[row, column].item<float>():0.00}")));
}

static double Cosine(float[] a, float[] b) => a.Zip(b).Sum(pair => (double)pair.First * pair.Second) / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));
