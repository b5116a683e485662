using System.Globalization;

namespace Bruma.Recipes.Finetuning;

/// <summary>Says in words which differences of a comparison's table mean something.</summary>
internal static class ComparedDifferences
{
    /// <param name="standardError">Of one accuracy; that of a difference is taken as the root of 2 times as large, which is cautious, since the rows share their test examples.</param>
    public static IEnumerable<string> Of(IReadOnlyList<ComparedRun> runs, double standardError)
    {
        var rows = runs.GroupBy(run => run.Name).Select(group => (Name: group.Key, Accuracy: group.Average(run => run.Accuracy), IsTrained: group.First().Folder.Length > 0)).OrderByDescending(row => row.Accuracy).ToList();
        var (trained, baselines) = (rows.Where(row => row.IsTrained).ToList(), rows.Where(row => !row.IsTrained).ToList());
        var error = Math.Sqrt(2) * standardError;
        if (trained.Count == 0 || baselines.Count == 0)
            yield break;
        foreach (var row in trained)
            yield return Sentence(row, baselines[0], error, " (the best baseline)");
        foreach (var row in trained.Skip(1))
            yield return Sentence(trained[0], row, error, "");
    }

    private static string Sentence((string Name, double Accuracy, bool) row, (string Name, double Accuracy, bool) other, double error, string what)
    {
        var difference = row.Accuracy - other.Accuracy;
        var verdict = Math.Abs(difference) >= 2 * error ? "more than chance" : Math.Abs(difference) >= error ? "likely, but not certain" : "may be chance";
        return string.Create(CultureInfo.InvariantCulture, $"{row.Name} is {Math.Abs(100 * difference):0.0} points {(difference >= 0 ? "above" : "below")} {other.Name}{what}: {verdict}.");
    }
}
