using Bruma.Hub;
using Bruma.StableDiffusion;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Recipes.Adaptation;

/// <summary>A network beside the frozen base: it sees an outline and steers the base after it.</summary>
/// <remarks>Zhang et al. 2023, arXiv:2302.05543.</remarks>
internal sealed class TrainedControl : TrainedPart
{
    private readonly ControlNetModel _network;

    public TrainedControl(AdaptationOptions options, BaseModel model, Generator random) : base(options, model) =>
        _network = ControlNetModel.Of(model.Network, model.Reduction, random);

    public override Module Network => _network;

    public override ControlNetModel Control => _network;

    public override string Description => $"a ControlNet, begun as a copy of the base's way down behind zeros, with {_network.Config.ConditioningEmbeddingOutChannels.Length} levels for the pictures that steer";

    public override IEnumerable<string> Write(string folder, IReadOnlyDictionary<string, Tensor> values, AdaptationNotes notes)
    {
        using var scope = NewDisposeScope();
        _network.Save(folder, _network.state_dict().Keys.Select(key => KeyValuePair.Create(key, values[key])));
        AtomicFile.WriteText(Path.Combine(folder, "training.json"), notes.ToJson());
        yield return $"ControlNet: {folder} (diffusers); draw with bruma generate PROMPT --model {Options.Model} --control {Path.GetDirectoryName(folder)} --control-image FILE";
    }
}
