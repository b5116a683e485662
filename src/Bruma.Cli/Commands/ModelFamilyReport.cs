using System.Globalization;
using Bruma.StableDiffusion;

namespace Bruma.Cli.Commands;

/// <summary>What a checkpoint is: its family, its networks and how many parameters each has.</summary>
internal sealed record ModelFamilyReport(string Family, string Title, string Prediction, IReadOnlyList<ModelFamilyReport.Part> Components)
{
    public sealed record Part(string Name, int Tensors, long Parameters, string Types);

    /// <returns>null for files that are no Stable Diffusion checkpoint in the original layout.</returns>
    public static ModelFamilyReport? Of(string path)
    {
        if (!SingleFile.Is(path))
            return null;
        try
        {
            using var file = SingleFile.Open(path);
            return new ModelFamilyReport(file.Family.Name, file.Family.Title, file.Scheduler().PredictionType.ToString(), [.. file.Components.Select(component => Describe(file, component))]);
        }
        catch (BrumaException)
        {
            return null; // other files are described by their tensors alone
        }
    }

    public void Write()
    {
        Console.WriteLine($"{Title} ({Family}), predicts {(Prediction == "VPrediction" ? "v" : "epsilon")}");
        foreach (var part in Components)
            Console.WriteLine($"  {part.Name,-16} {Number(part.Parameters),15} parameters in {part.Tensors} tensors ({part.Types})");
    }

    /// <summary>Counts what the file has for a network, also where its sizes are not the family's.</summary>
    private static Part Describe(SingleFile file, string component)
    {
        var infos = file.StoredTensorsOf(component);
        var types = infos.GroupBy(info => info.DType).OrderByDescending(group => group.Sum(info => info.Count)).Select(group => group.Key);
        return new Part(component, infos.Count, infos.Sum(info => info.Count), string.Join(", ", types));
    }

    private static string Number(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
