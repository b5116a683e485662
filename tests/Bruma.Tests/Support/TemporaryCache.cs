namespace Bruma.Tests.Support;

/// <summary>The place of cached latents, captions and features while a test runs: one variable of the process, so its users belong to the collection of its name.</summary>
public sealed class TemporaryCache : IDisposable
{
    public const string Variable = "BRUMA_CACHE";

    public TemporaryCache(TemporaryFolder folder) => Environment.SetEnvironmentVariable(Variable, Path.Combine(folder.Root, "cache"));

    public void Dispose() => Environment.SetEnvironmentVariable(Variable, null);
}
