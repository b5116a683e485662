using Bruma.Diffusion.Schedulers;
using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Diffusion;

/// <summary>A model that draws without a prompt: by class, or without a condition.</summary>
public interface IClassPipeline : IDisposable
{
    SchedulerConfig Scheduler { get; }

    ModelDefaults Defaults { get; }

    /// <summary>Number of classes to choose from; null where there is no choice.</summary>
    int? Classes { get; }

    /// <summary>Height and width of its pictures in pixels.</summary>
    int PictureSize { get; }

    /// <summary>Denoising steps and guidance where a request says nothing.</summary>
    (int Steps, double GuidanceScale) Standard { get; }

    /// <summary>Draws pictures, each from its own seed.</summary>
    /// <returns>[N, C, H, W] in [-1, 1], fp32.</returns>
    Tensor Generate(DiffusionRequest request, Action<DenoisingStep>? onStep = null, CancellationToken cancellationToken = default);
}
