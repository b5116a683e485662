using static TorchSharp.torch;

namespace Bruma.Hub;

/// <summary>Which stored tensor goes where, and what does not fit.</summary>
internal sealed class WeightPlan
{
    private const int Shown = 8;

    /// <summary>Buffers that older libraries saved although they hold no weights.</summary>
    private static readonly string[] Constants = ["position_ids", "inv_freq", "masked_bias", "num_batches_tracked"];

    private readonly List<string> _missing = [];
    private readonly List<string> _unexpected = [];
    private readonly List<string> _misshapen = [];

    public WeightPlan(IReadOnlyDictionary<string, Tensor> targets, ITensorSource source, WeightOptions options)
    {
        foreach (var stored in source.Tensors.Keys)
        {
            var target = targets.ContainsKey(stored) ? stored : options.Rename is null ? stored : options.Rename(stored);
            if (target is null || target != stored && source.Tensors.ContainsKey(target) && targets.ContainsKey(target))
                continue; // to be ignored, or the file has it under its right name as well
            if (!targets.TryGetValue(target, out var tensor))
            {
                if (!IsConstant(stored) && options.Ignore?.Invoke(stored) != true)
                    _unexpected.Add(stored);
            }
            else if (!Sources.TryAdd(target, stored))
                _unexpected.Add($"{stored} beside {Sources[target]}");
            else if (!source.Tensors[stored].Shape.SequenceEqual(tensor.shape))
                _misshapen.Add($"{stored} is [{string.Join(", ", source.Tensors[stored].Shape)}] but [{string.Join(", ", tensor.shape)}] was expected");
        }
        FindMissing(targets, options);
    }

    /// <summary>Stored names by the module's.</summary>
    public Dictionary<string, string> Sources { get; } = new(StringComparer.Ordinal);

    /// <summary>All that does not fit, in words; null when everything does.</summary>
    public string? Report()
    {
        var parts = new[] { ("missing", _missing), ("unexpected", _unexpected), ("misshapen", _misshapen) }
            .Where(part => part.Item2.Count > 0)
            .Select(part => $"{part.Item2.Count} {part.Item1} ({string.Join(", ", part.Item2.Order(StringComparer.Ordinal).Take(Shown))}{(part.Item2.Count > Shown ? $" and {part.Item2.Count - Shown} more" : "")})");
        return string.Join("; ", parts) is { Length: > 0 } report ? report : null;
    }

    /// <summary>Whether two tensors are the same memory.</summary>
    public static bool AreTied(Tensor a, Tensor b) => ReferenceEquals(a, b)
        || a.device.type == TorchSharp.DeviceType.CPU && b.device.type == TorchSharp.DeviceType.CPU && a.numel() > 0 && a.dtype == b.dtype
        && a.shape.SequenceEqual(b.shape) && a.is_contiguous() && b.is_contiguous() && TensorMemory.Address(a) == TensorMemory.Address(b);

    private static bool IsConstant(string name) => Array.Exists(Constants, constant => name == constant || name.EndsWith($".{constant}", StringComparison.Ordinal));

    private void FindMissing(IReadOnlyDictionary<string, Tensor> targets, WeightOptions options)
    {
        foreach (var name in targets.Keys.Where(name => !Sources.ContainsKey(name) && !IsConstant(name)).ToList())
            if (options.Tied is not null && options.Tied.TryGetValue(name, out var other) && Sources.TryGetValue(other, out var stored))
                Sources.Add(name, stored);
            else if (!Sources.Keys.Concat(_missing).Any(known => AreTied(targets[known], targets[name])))
                _missing.Add(name);
    }
}
