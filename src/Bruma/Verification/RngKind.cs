using System.Text.Json;
using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Verification;

/// <summary>Random numbers for a seed: torch's CPU generator and the counter-based one of GPUs.</summary>
internal static class RngKind
{
    public static void Run(GoldenCase golden, CaseReport report)
    {
        var name = golden.Spec.GetProperty("generator").GetString()!;
        Action<GoldenCase, CaseReport, JsonElement> row = name switch
        {
            _ when name.StartsWith("mt19937", StringComparison.Ordinal) => Mersenne,
            _ when name.StartsWith("philox4x32-10", StringComparison.Ordinal) => Philox,
            _ => throw new UnknownCaseException($"unknown generator {name}"),
        };
        foreach (var element in golden.Spec.GetProperty("rows").EnumerateArray())
            row(golden, report, element);
    }

    private static void Philox(GoldenCase golden, CaseReport report, JsonElement row)
    {
        var key = row.GetProperty("key").GetString()!;
        var generator = new PhiloxGenerator(row.GetProperty("seed").GetUInt64(), row.GetProperty("offset").GetUInt32());
        for (var i = 0; i < row.GetProperty("uint32").GetArrayLength(); i++)
        {
            var (x, y, z, w) = generator.Block((uint)i);
            report.CompareExact($"{key}: block {i}", [x, y, z, w], row.GetProperty("uint32")[i].EnumerateArray().Select(value => value.GetUInt32()));
        }
        report.Compare(key, tensor(generator.Normals(row.GetProperty("n").GetInt32())), golden.Tensor(key));
    }

    private static void Mersenne(GoldenCase golden, CaseReport report, JsonElement row)
    {
        using var generator = new Generator(row.GetProperty("seed").GetUInt64(), CPU);
        var shape = row.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        var dtype = row.GetProperty("dtype").GetString() switch { "float16" => float16, "bfloat16" => bfloat16, "float64" => float64, "int64" => int64, _ => float32 };
        var drawn = row.GetProperty("op").GetString() switch
        {
            "randn" => SeededNormal.Draw(shape, generator, dtype),
            "rand" => rand(shape, dtype, generator: generator),
            "randint" => randint(row.GetProperty("low").GetInt64(), row.GetProperty("high").GetInt64(), shape, dtype, generator: generator),
            "randperm" => randperm(row.GetProperty("n").GetInt64(), dtype, generator: generator),
            "bernoulli" => full(shape, row.GetProperty("p").GetDouble(), dtype).bernoulli(generator),
            "sequence" => cat([.. row.GetProperty("calls").EnumerateArray().Select(call => Call(call, generator))]),
            var op => throw new UnknownCaseException($"unknown operation {op}"),
        };
        var expected = golden.Tensors.Read(row.GetProperty("key").GetString()!);
        report.Compare(row.GetProperty("key").GetString()!, drawn, expected);
    }

    private static Tensor Call(JsonElement call, Generator generator) => call[0].GetString() switch
    {
        "randn" => SeededNormal.Draw([call[1].GetInt64()], generator),
        "rand" => rand([call[1].GetInt64()], generator: generator),
        "randint" => randint(call[1].GetInt64(), call[2].GetInt64(), [call[3].GetInt64()], int64, generator: generator).to(float32),
        var op => throw new UnknownCaseException($"unknown operation {op}"),
    };
}
