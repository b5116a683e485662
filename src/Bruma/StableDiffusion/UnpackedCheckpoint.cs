using Bruma.Hub;

namespace Bruma.StableDiffusion;

/// <summary>Single files as diffusers folders, for what reads and writes folders: each is unpacked once, into the cache, under the sum of its bytes.</summary>
public static class UnpackedCheckpoint
{
    private const string Last = "model_index.json"; // what is written last: with it the folder is complete

    /// <param name="path">A single file, or a folder, which is returned as it is.</param>
    /// <param name="configs">See <see cref="SingleFile.Open"/>.</param>
    /// <exception cref="BrumaException">The file is damaged, or of a family that Bruma does not know.</exception>
    public static string FolderOf(string path, string? configs = null)
    {
        if (!SingleFile.Is(path))
            return path;
        var folder = Path.Combine(UserCache.Root, "unpacked", WeightsHash.Of(path)!);
        if (File.Exists(Path.Combine(folder, Last)))
            return folder;
        using var file = SingleFile.Open(path, configs);
        CheckpointConversion.ToFolder(file, folder);
        return folder;
    }
}
