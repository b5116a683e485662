using Bruma.Hub;

namespace Bruma.Tests.Hub;

/// <summary>The promise for every file from elsewhere: tensors, or one <see cref="BrumaException"/> that names the file.</summary>
internal static class HostileFiles
{
    private const int Flips = 2000;

    /// <summary>Cuts a good file off everywhere and changes single bytes everywhere.</summary>
    public static void AssertTensorsOrSentence(byte[] good, string path)
    {
        for (var length = 0; length < good.Length; length += good.Length < 4000 ? 1 : 97)
            Check(good[..length], path, $"cut off at {length}");
        var random = new Random(1);
        for (var i = 0; i < Flips; i++)
        {
            var (at, value) = (random.Next(good.Length), (byte)random.Next(256));
            var damaged = (byte[])good.Clone();
            damaged[at] = value;
            Check(damaged, path, $"byte {at} is {value}");
        }
    }

    private static void Check(byte[] bytes, string path, string what)
    {
        File.WriteAllBytes(path, bytes);
        try
        {
            using var source = CheckpointFile.Open(path);
            foreach (var name in source.Tensors.Keys)
                source.Read(name).Dispose();
        }
        catch (BrumaException e)
        {
            Assert.True(e.Message.Contains(path, StringComparison.Ordinal) && e.Message.EndsWith('.') && !e.Message.Contains('\n', StringComparison.Ordinal), $"{what}: {e.Message}");
        }
        catch (Exception e)
        {
            Assert.Fail($"{what}: {e}");
        }
    }
}
