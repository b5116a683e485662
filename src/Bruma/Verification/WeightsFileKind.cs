using Bruma.Hub;

namespace Bruma.Verification;

/// <summary>One file of weights: every expected tensor under its name, equal, in its type.</summary>
internal static class WeightsFileKind
{
    public static void Run(GoldenCase golden, CaseReport report)
    {
        var path = golden.PathOf(golden.Spec.GetProperty("file").GetString()!);
        try
        {
            using var source = CheckpointFile.Open(path);
            foreach (var name in golden.Names())
                Compare(golden, report, source, name);
        }
        catch (BrumaException e) when (golden.Spec.GetProperty("expected").GetString() == "tensors_or_error")
        {
            report.CompareExact("error names the file", e.Message.Contains(Path.GetFileName(path), StringComparison.Ordinal), true);
        }
    }

    private static void Compare(GoldenCase golden, CaseReport report, ITensorSource source, string name)
    {
        if (!source.Tensors.TryGetValue(name, out var info))
        {
            report.Fail($"{name}: missing in the file");
            return;
        }
        using var expected = golden.Tensors.Read(name);
        using var actual = info.DType == "F64" ? source.Read(name, expected.dtype) : source.Read(name);
        report.CompareExact($"{name}: type", actual.dtype, expected.dtype);
        report.Compare(name, actual, expected);
    }
}
