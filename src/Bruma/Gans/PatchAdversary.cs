using Bruma.Nn;
using Bruma.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Bruma.Gans;

/// <param name="Weight">How hard the adversary pulls beside the other losses: the share of their gradient in the last layer.</param>
/// <param name="FirstPull">Updates in which the discriminator learns alone.</param>
/// <param name="Width">Channels of its first layer.</param>
public sealed record PatchAdversaryOptions(double Weight, long FirstPull, double LearningRate = 4e-4, int Width = 32, int Channels = 3, long Seed = 0);

/// <summary>A discriminator of patches beside a network that makes pictures from pictures, such as an autoencoder: what is blurred looks made.</summary>
/// <remarks>Isola et al. 2017, arXiv:1611.07004, with hinge losses and spectral norms; weighed as in Esser et al. 2021, arXiv:2012.09841, eq. 7:
/// its gradient in the last layer is brought to the length that the other losses' gradient has there. It computes in fp32.</remarks>
public sealed class PatchAdversary : IDisposable
{
    private const double MostScale = 1e4;
    private const double LeastNorm = 1e-6;
    private const long Start = 23;

    private readonly PatchAdversaryOptions _options;
    private readonly GanDiscriminator _network;
    private readonly Player _player;

    public PatchAdversary(PatchAdversaryOptions options)
    {
        _options = options;
        _network = new GanDiscriminator(GanArchitectures.PatchDiscriminator(options.Channels, options.Width));
        using var start = HashedSeed.At(options.Seed, Start);
        GanStart.Initialize(_network, start);
        _player = new Player(_network, new AdamWOptions(options.LearningRate, Beta1: 0.5, WeightDecay: 0));
    }

    public long ParameterCount => _player.Parameters.Count;

    /// <summary>Lets the discriminator learn from a batch, then adds its pull to the loss of the network that it judges.</summary>
    /// <param name="output">What the network made, [B, C, H, W], with its graph.</param>
    /// <param name="pictures">What it should have made.</param>
    /// <param name="loss">The other losses of <paramref name="output"/>, 0-D.</param>
    /// <param name="lastWeight">The weight of the network's last layer.</param>
    /// <param name="step">Updates done so far.</param>
    /// <returns>0-D, fp32.</returns>
    /// <exception cref="BrumaException">The discriminator's loss is not finite.</exception>
    public Tensor AddTo(Tensor loss, Tensor output, Tensor pictures, Parameter lastWeight, long step)
    {
        using var scope = NewDisposeScope();
        Learn(output, pictures, step);
        return (step < _options.FirstPull ? loss.alias() : loss + Pull(loss, output, lastWeight)).MoveToOuterDisposeScope();
    }

    /// <summary>Writes the discriminator and its optimizer into the folder of a checkpoint.</summary>
    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        _player.Save(Weights(folder), Moments(folder));
    }

    /// <summary>Goes on from a folder written by <see cref="Save"/>.</summary>
    public void Restore(string folder)
    {
        using var noGradient = no_grad();
        _player.Restore(Weights(folder), Moments(folder));
    }

    public void Dispose()
    {
        _player.Dispose();
        _network.Dispose();
    }

    private void Learn(Tensor output, Tensor pictures, long step)
    {
        using var scope = NewDisposeScope();
        var loss = AdversarialLosses.HingeDiscriminator(Judge(pictures), Judge(output.detach()));
        loss.backward();
        var value = loss.item<float>();
        var (norm, _) = _player.Step(step + 1, 1);
        if (!float.IsFinite(value) || !double.IsFinite(norm))
            throw new BrumaException(FormattableString.Invariant($"step {step + 1}: the discriminator's loss is {value} and its gradient norm {norm}; the last checkpoint is whole. Try a lower weight of the adversary."));
    }

    private Tensor Pull(Tensor loss, Tensor output, Parameter lastWeight)
    {
        _player.Learn(false); // its weights' gradients are not needed
        var adversarial = AdversarialLosses.HingeGenerator(Judge(output));
        var slope = autograd.grad([adversarial], [output])[0];
        _player.Learn(true);
        var pull = (slope * output).sum(); // the same gradient without a second way through the discriminator
        var scale = _options.Weight * Math.Min(MostScale, Norm(loss) / (Norm(pull) + LeastNorm));
        return scale * (pull + (adversarial - pull).detach());

        double Norm(Tensor of) => autograd.grad([of], [lastWeight], retain_graph: true)[0].to(float32).norm().item<float>();
    }

    private Tensor Judge(Tensor pictures) => _network.Judge(pictures.to(float32), null).Logits;

    private static string Weights(string folder) => Path.Combine(folder, "discriminator.safetensors");

    private static string Moments(string folder) => Path.Combine(folder, "optimizer-d.safetensors");
}
