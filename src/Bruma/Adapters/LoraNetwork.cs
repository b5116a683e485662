using Bruma.Nn;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Adapters;

/// <summary>Trainable low-rank updates beside chosen layers of frozen networks, in place from birth until disposed.</summary>
/// <remarks>Its parameters have PEFT's keys, the component in front: <c>unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight</c>.
/// It belongs beside the base in whatever a trainer optimizes; the base's parameters are switched off when it is attached.</remarks>
public sealed class LoraNetwork : Module
{
    private readonly List<(string Component, string Name, LoraLayer Layer)> _layers = [];
    private readonly List<Action> _detach = [];

    /// <param name="targets">Where; one entry per component.</param>
    /// <param name="random">Source of the start values.</param>
    /// <exception cref="BrumaException">A name fits no layer, or the rank is above a layer's width.</exception>
    public LoraNetwork(IReadOnlyList<LoraTargets> targets, LoraOptions options, Generator random) : base(nameof(LoraNetwork))
    {
        (Options, Targets) = (options, targets);
        foreach (var target in targets)
        {
            var found = Find(target);
            foreach (var parameter in target.Network.parameters())
                parameter.requires_grad_(false);
            foreach (var (name, layer) in found)
                Attach(target.Component, name, layer, random);
        }
    }

    public LoraOptions Options { get; }

    public IReadOnlyList<LoraTargets> Targets { get; }

    /// <summary>Whether the updates act; while they do not, the networks are the base.</summary>
    public bool IsActive { get; set; } = true;

    /// <summary>The updates as they stand, sharing memory with the parameters.</summary>
    /// <param name="values">Values by the parameters' names to take instead, such as a trainer's fp32 weights; null for the parameters' own.</param>
    public IReadOnlyList<LoraUpdate> Updates(IReadOnlyDictionary<string, Tensor>? values = null) =>
        [.. _layers.Select(entry => entry.Layer.Update(entry.Component, entry.Name, part => values?.GetValueOrDefault($"{Key(entry.Component, entry.Name)}.{part}")))];

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            foreach (var detach in _detach)
                detach();
        _detach.Clear();
        base.Dispose(disposing);
    }

    private static List<(string Name, Module<Tensor, Tensor> Layer)> Find(LoraTargets target)
    {
        var layers = target.Network.named_modules()
            .Where(pair => pair.module is TorchSharp.Modules.Linear or TorchSharp.Modules.Conv2d)
            .Select(pair => (pair.name, layer: (Module<Tensor, Tensor>)pair.module)).ToList();
        foreach (var name in target.Names.Where(name => !layers.Exists(layer => LoraTargets.Ends(layer.name, name))))
            throw new BrumaException($"--targets {name}: no linear layer or convolution of {(target.Component.Length > 0 ? target.Component : target.Network.GetName())} has a name that ends so; among them are {Some(layers)}.");
        return [.. layers.Where(layer => target.Names.Any(name => LoraTargets.Ends(layer.name, name)))];
    }

    private static string Some(List<(string Name, Module<Tensor, Tensor>)> layers) => string.Join(", ", layers.Select(layer => layer.Name.Split('.')[^1]).Distinct().Where(name => !long.TryParse(name, out _)).Take(12));

    private static string Key(string component, string name) => component.Length == 0 ? name : $"{component}.{name}";

    private void Attach(string component, string name, Module<Tensor, Tensor> layer, Generator random)
    {
        var update = new LoraLayer(name, layer, Options, _layers.Count);
        update.Initialize(random);
        Branch.Place(this, Key(component, name), update);
        _layers.Add((component, name, update));
        // layer and update share one view of the input (alias() makes none): its gradients are summed there, in the same order with gradient checkpointing as without
        var before = layer.register_forward_pre_hook((_, input) => is_grad_enabled() ? input.view(input.shape) : input);
        var after = layer.register_forward_hook((_, input, output) => IsActive ? update.call(input, output) : output);
        AugmentedLayers.Add(layer);
        _detach.AddRange([before.remove, after.remove, () => AugmentedLayers.Remove(layer)]);
    }

    /// <summary>A level of a dotted name.</summary>
    private sealed class Branch() : Module(nameof(Branch))
    {
        public static void Place(Module root, string name, Module leaf)
        {
            var parts = name.Split('.');
            foreach (var part in parts[..^1])
            {
                var next = root.named_children().FirstOrDefault(child => child.name == part).module;
                if (next is null)
                    root.register_module(part, next = new Branch());
                root = next;
            }
            root.register_module(parts[^1], leaf);
        }
    }
}
