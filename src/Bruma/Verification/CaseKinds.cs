namespace Bruma.Verification;

/// <summary>Runs one case and reports the comparisons. Throws <see cref="UnknownCaseException"/> for a class that Bruma does not have.</summary>
public delegate void CaseRunner(GoldenCase golden, CaseReport report);

/// <summary>The kinds of reference cases that this build knows.</summary>
public static class CaseKinds
{
    public static readonly IReadOnlyDictionary<string, CaseRunner> All = new Dictionary<string, CaseRunner>(StringComparer.Ordinal)
    {
        ["model"] = Kinds.ModelKind.Run,
    };
}

/// <summary>The case asks for a class, scheduler or option that this build does not have: it counts as skipped.</summary>
public sealed class UnknownCaseException(string what) : Exception(what);
