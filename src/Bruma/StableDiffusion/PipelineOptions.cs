using Bruma.Diffusion.Schedulers;
using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>How to open a model.</summary>
/// <param name="Type">The type to compute in.</param>
/// <param name="Variant">Variant of the weights, such as <c>fp16</c>; null for the plain ones, or the only one there is.</param>
/// <param name="Prediction">What a single file's network predicts, where its family's default is wrong; null for the default.</param>
public sealed record PipelineOptions(ScalarType Type = ScalarType.Float32, string? Variant = null, PredictionType? Prediction = null);
