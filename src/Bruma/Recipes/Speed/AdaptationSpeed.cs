using Bruma.Adapters;
using Bruma.Nn;
using Bruma.Recipes.Emoji;
using Bruma.StableDiffusion;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Speed;

/// <summary>How a text-to-image U-Net is adapted.</summary>
/// <param name="Rank">Of a LoRA on its attention; 0 trains all weights.</param>
/// <param name="Side">Of the latents.</param>
/// <param name="Tokens">Of a caption.</param>
/// <param name="GigaflopsPerPicture">Forward once, backward once to the inputs and, for all weights, once more to these; what gradient checkpointing computes again is not counted.</param>
/// <param name="Goal">Share of the matrix rate that Bruma aims at.</param>
public sealed record AdaptedNetwork(string Name, UNet2DConditionConfig Config, int Rank, int BatchSize, int Side, int Tokens, double GigaflopsPerPicture, double? Goal = null, bool IsCheckpointed = false)
{
    /// <summary>A LoRA on Stable Diffusion 1.5's shape at 256 px, one picture at a time.</summary>
    public static readonly AdaptedNetwork Lora256 = new("LoRA, SD 1.5's shape, 256 px, batch 1", ModelFamily.Sd1.UNet, 8, 1, 32, 77, 360, 0.5);

    /// <summary>The same with less memory.</summary>
    public static readonly AdaptedNetwork Lora256Checkpointed = Lora256 with { Name = $"{Lora256.Name}, checkpointed", IsCheckpointed = true, Goal = null };

    /// <summary>The same at 512 px.</summary>
    public static readonly AdaptedNetwork Lora512Checkpointed = Lora256Checkpointed with { Name = "LoRA, SD 1.5's shape, 512 px, batch 1, checkpointed", Side = 64, GigaflopsPerPicture = 1607 };

    /// <summary>All weights of the shape of <c>models/emoji</c>.</summary>
    public static readonly AdaptedNetwork Emoji = new("all weights, emoji U-Net, 128 px, batch 64", new EmojiUnetOptions("", "").Network(latentChannels: 8, contextWidth: 256), 0, 64, 16, 32, 6.6, 0.6);
}

/// <summary>Whole steps of adapting a network of random weights: noise, forward, backward, clipping, AdamW.</summary>
public sealed class AdaptationSpeed : IDisposable
{
    private readonly AdaptedNetwork _what;
    private readonly UNet2DConditionModel _network;
    private readonly LoraNetwork? _lora;
    private readonly Trainer<LatentPictures> _trainer;
    private readonly IEnumerator<StepReport> _steps;

    public AdaptationSpeed(AdaptedNetwork what, ScalarType precision)
    {
        _what = what;
        _network = RandomWeights.Fill(device => new UNet2DConditionModel(what.Config, device), what.Rank > 0 ? precision : float32);
        _network.IsCheckpointed = what.IsCheckpointed;
        using var start = HashedSeed.At(1, 0);
        if (what.Rank > 0)
            _lora = new LoraNetwork([new("unet", _network, LoraTargets.Attention)], new LoraOptions(what.Rank), start);
        else
            foreach (var parameter in _network.parameters())
                parameter.requires_grad_(true);
        var step = new Adaptation.LatentStep(_network, EmojiUnetOptions.Objective);
        _trainer = new Trainer<LatentPictures>(_lora is null ? _network : _lora, (batch, random) => step.Losses(batch.Latents, new UNetConditioning(batch.Context), random).mean(),
            new TrainerOptions(int.MaxValue, new LearningRateSchedule("constant", 1e-4), new AdamWOptions(1e-4), null), precision);
        _steps = _trainer.Run(Batches).GetEnumerator();
    }

    public void Step() => _steps.MoveNext();

    public void Dispose()
    {
        _steps.Dispose();
        _trainer.Dispose();
        _lora?.Dispose();
        _network.Dispose();
    }

    private IEnumerable<LatentPictures> Batches(long first)
    {
        using var random = new Generator(1, CPU);
        while (true)
            yield return new LatentPictures(
                randn([_what.BatchSize, _what.Config.InChannels, _what.Side, _what.Side], generator: random).DetachFromDisposeScope(),
                randn([_what.BatchSize, _what.Tokens, _what.Config.CrossAttentionDim[0]], generator: random).DetachFromDisposeScope());
    }

    private sealed record LatentPictures(Tensor Latents, Tensor Context) : IDisposable
    {
        public void Dispose()
        {
            Latents.Dispose();
            Context.Dispose();
        }
    }
}
