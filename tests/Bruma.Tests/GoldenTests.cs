using Bruma.Tests.Support;
using Bruma.Verification;

namespace Bruma.Tests;

/// <summary>Every reference case of the repository, by the code of <c>bruma verify</c>.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Cases => [.. new Verifier(Repository.Goldens).Find().Select(found => found.Id)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_agrees_with_the_reference(string id)
    {
        var result = new Verifier(Repository.Goldens, [id]).Run().Single(found => found.Id == id);
        Assert.SkipWhen(result.Outcome == CaseOutcome.Skip, string.Join("; ", result.Detail));
        Assert.True(result.Outcome == CaseOutcome.Pass, string.Join("\n", result.Detail));
    }
}
