using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Training;

/// <summary>Which parameters a run trains, told before its trainer is made.</summary>
public static class Freezing
{
    /// <summary>Parameters whose name begins with one of the prefixes are not trained; the others are as they were.</summary>
    /// <param name="prefixes">For example <c>bert.embeddings.</c>.</param>
    /// <exception cref="BrumaException">A prefix fits no parameter.</exception>
    public static void Freeze(Module network, IReadOnlyCollection<string> prefixes)
    {
        using var scope = NewDisposeScope();
        var parameters = network.named_parameters().ToList();
        foreach (var prefix in prefixes)
        {
            var frozen = parameters.Where(pair => pair.name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
            if (frozen.Count == 0)
                throw new BrumaException($"\"{prefix}\" freezes nothing: no parameter of {network.GetName()} begins so; the first is {parameters.FirstOrDefault().name}.");
            foreach (var (_, parameter) in frozen)
                parameter.requires_grad = false;
        }
    }

    /// <summary>Weight decay for all parameters but those whose name ends with one of the endings or contains one of the parts.</summary>
    /// <param name="parts">For example <c>LayerNorm</c>.</param>
    public static ParameterGroup DecayExcept(double weightDecay, IReadOnlyCollection<string> endings, IReadOnlyCollection<string> parts) => (name, _) =>
        (endings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal)) || parts.Any(part => name.Contains(part, StringComparison.Ordinal)) ? 0 : weightDecay, 1);
}
