using Bruma.Adapters;
using Bruma.Nn;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Finetuning;

/// <summary>A task's network as a strategy trains it: what is frozen is switched off, low-rank updates stand beside it.</summary>
internal sealed class AdaptedNetwork : Module
{
    private readonly Module network;
    private readonly LoraNetwork? lora;
    private readonly FinetuneTask _task;
    private readonly Strategy _strategy;

    public AdaptedNetwork(FinetuneTask task, Strategy strategy, FinetuneOptions options) : base(nameof(AdaptedNetwork))
    {
        (_task, _strategy, network) = (task, strategy, task.Network);
        if (strategy.UsesLora)
        {
            string[] targets = options.LoraTargets.Length > 0 ? options.LoraTargets.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [.. task.LoraTargets];
            using var random = HashedSeed.At(options.Seed, 2);
            lora = new LoraNetwork([new LoraTargets("", network, targets)], new LoraOptions(options.LoraRank, options.LoraAlpha, options.LoraDropout), random);
        }
        RegisterComponents();
        foreach (var (name, parameter) in network.named_parameters())
            parameter.requires_grad_(IsTrained(name));
    }

    public LoraNetwork? Lora => lora;

    public int Depth(string name) => ParameterDepth.Of(name, _task.Layers, _task.Head);

    /// <summary>The share of the learning rate and the first step of a parameter of this network.</summary>
    public (double RateScale, long FirstStep) Pace(string name, double layerDecay, long steps)
    {
        if (name.StartsWith("lora.", StringComparison.Ordinal))
            return (1, 0);
        var depth = Depth(name);
        var scale = layerDecay < 1 ? Training.LearningRateSchedule.LayerScale(depth, _task.Layers, layerDecay) : 1;
        return (scale, _strategy.Unfreezes ? Opens(depth, steps) : 0);
    }

    /// <summary>Switches gradients on only where a parameter moves at this step: below, backward passes end early.</summary>
    public void OpenFor(long step, long steps)
    {
        if (_strategy.Unfreezes)
            foreach (var (name, parameter) in network.named_parameters())
                parameter.requires_grad_(IsTrained(name) && Opens(Depth(name), steps) <= step);
    }

    /// <summary>Adds the low-rank updates to the weights, exactly, and ends them.</summary>
    public void Merge()
    {
        if (lora is null)
            return;
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var weights = network.state_dict();
        foreach (var update in lora.Updates())
        {
            var weight = weights[$"{update.Layer}.weight"];
            weight.add_(update.Delta(weight));
        }
        lora.IsActive = false;
    }

    private bool IsTrained(string name) => _strategy.Trains(Depth(name), _task.Layers) && !_task.Unused.Any(name.Contains);

    /// <summary>The head from the start, then a layer more after each part of the first half.</summary>
    private long Opens(int depth, long steps) => (_task.Layers + 1 - depth) * (steps / 2) / (_task.Layers + 1);
}
