using System.Text.Json.Serialization;

namespace Bruma.StableDiffusion;

/// <summary>JSON of this family's networks.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(AutoencoderKlConfig))]
[JsonSerializable(typeof(AutoencoderTinyConfig))]
[JsonSerializable(typeof(ControlNetConfig))]
[JsonSerializable(typeof(UNet2DConditionConfig))]
internal sealed partial class StableDiffusionConfigs : JsonSerializerContext;
