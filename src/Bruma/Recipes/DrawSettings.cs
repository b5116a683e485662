namespace Bruma.Recipes;

/// <summary>What samples are drawn with where it shall not be the model's own.</summary>
/// <param name="Steps">Denoising steps.</param>
/// <param name="GuidanceScale">Classifier-free guidance; 1 is none.</param>
/// <param name="Scheduler">A scheduler's name.</param>
public sealed record DrawSettings(int? Steps = null, double? GuidanceScale = null, string? Scheduler = null)
{
    public bool IsEmpty => this is { Steps: null, GuidanceScale: null, Scheduler: null };

    /// <summary>Refuses values that no drawing could have.</summary>
    public DrawSettings Checked()
    {
        RunConfig.Require(Steps is null or >= 1, "--steps", Steps ?? 0, "at least 1");
        RunConfig.Require(GuidanceScale is null or >= 0, "--guidance-scale", GuidanceScale ?? 0, "0 or more");
        return this;
    }
}
