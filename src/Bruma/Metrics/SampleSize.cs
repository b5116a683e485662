namespace Bruma.Metrics;

/// <summary>Says in words when there are too few pictures for a measure.</summary>
public static class SampleSize
{
    private const int FewForKernel = 50;
    private const int FewForNeighbours = 1000;
    private const int FewForScore = 5000;

    private static readonly string[] Neighbourhood = ["prc", "density", "coverage"];

    /// <param name="samples">Number of samples.</param>
    /// <param name="reference">Number of reference pictures.</param>
    /// <param name="width">Width D of the features.</param>
    /// <param name="network">Names the measures.</param>
    /// <param name="looked">See <see cref="ComparisonOptions.NeighbourSamples"/>.</param>
    public static IReadOnlyList<string> Warnings(int samples, int reference, int width, FeatureNetwork network, IReadOnlyCollection<string> measures, int looked)
    {
        var least = Math.Min(samples, reference);
        var found = new List<string>();
        void Add(string measure, bool condition, string text)
        {
            if (condition && measures.Contains(measure))
                found.Add(text);
        }
        Add("fd", least <= width, $"{network.Label("FD")}: {least} pictures are no more than the {width} dimensions of the features, so the covariance is singular and the distance far too large; compare only with numbers at the same N, and read it against the floor. KID has no such bias.");
        Add("fd", least > width && least < 10 * width, $"{network.Label("FD")}: {least} pictures are fewer than ten times the {width} dimensions of the features; the distance is too large by about the floor. Compare only at equal N.");
        Add("kid", least < FewForKernel, $"{network.Label("KID")}: {least} pictures are few; the deviation over subsets says less than the truth.");
        Add("prc", least < FewForNeighbours, $"Precision, recall, density and coverage: with {least} pictures neighbourhoods are wide, and values depend on N; read them against the floor.");
        if (looked > 0 && Math.Max(samples, reference) > looked && measures.Any(Neighbourhood.Contains))
            found.Add($"Precision, recall, density and coverage: of {looked} drawn pictures of each set that has more; --neighbour-samples 0 takes all, as prdc and torch-fidelity do.");
        Add("vendi", least < FewForNeighbours, $"Vendi: grows with N ({samples} here); compare only at equal N.");
        Add("is", samples < FewForScore, $"Inception score: {samples} pictures are fewer than the {FewForScore} from which it settles; it is too small.");
        return found;
    }
}
