using Bruma.Recipes.Speed;
using Bruma.Training;
using Bruma.Transformers;
using Bruma.Transformers.Embeddings;
using Bruma.Verification;
using static TorchSharp.torch;

namespace Bruma.Benchmarks;

/// <summary>Sentence vectors by MiniLM, 32 texts of 64 tokens at once.</summary>
internal static class EncodingBenchmark
{
    private const int Batch = 32;
    private const int Tokens = 64;

    public static void Run(double seconds)
    {
        var models = SharedFolder.Find(AppContext.BaseDirectory, "models");
        if (models is null || !Directory.Exists(Path.Combine(models, "all-MiniLM-L6-v2")))
        {
            Console.WriteLine("MiniLM: skipped; set BRUMA_SHARED to the folder that holds models/all-MiniLM-L6-v2");
            return;
        }
        foreach (var (type, goal, peer) in new[] { (bfloat16, "0.85 of bf16 GEMM (transformers 0.67)", "bf16"), (float32, "0.62 of fp32 convolution (ONNX Runtime)", "fp32") }.Where(row => ComputePrecision.Native.Contains(row.Item1)))
        {
            using var network = BertModel.Load(Path.Combine(models, "all-MiniLM-L6-v2"));
            TorchSharp.ModuleExtensionMethods.to(network, type);
            using var fast = new FastBert(network);
            using var ids = randint(1000, 30000, [Batch, Tokens]);
            using var still = no_grad();
            foreach (var (name, run) in new (string, Action)[] { ("BertModel", () => network.call(ids, new TextPass())), ("FastBert", () => fast.Run(ids, null, null)) })
            {
                var share = PairedTiming.Share(run, Gigaflops(network.Config), type, type == bfloat16, seconds);
                Console.WriteLine(FormattableString.Invariant($"MiniLM {peer}, {name}: {Batch / share.Seconds:0.0} texts/s, {share.Share:0.00} of the {(type == bfloat16 ? "bf16 GEMM" : "fp32 convolution")} rate; goal {goal}"));
            }
        }
    }

    /// <summary>Products of one batch: four of attention's projections, two of the feed-forward, scores and mixing.</summary>
    private static double Gigaflops(BertConfig config) =>
        2e-9 * Batch * Tokens * config.NumHiddenLayers * (4.0 * config.HiddenSize * config.HiddenSize + 2.0 * config.HiddenSize * config.IntermediateSize + 2.0 * Tokens * config.HiddenSize);
}
