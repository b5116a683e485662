using System.Text.Json.Serialization;

namespace Bruma.Diffusion;

/// <summary>JSON of this family's networks.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(UNet2DConfig))]
[JsonSerializable(typeof(DiTConfig))]
internal sealed partial class NetworkConfigs : JsonSerializerContext;
