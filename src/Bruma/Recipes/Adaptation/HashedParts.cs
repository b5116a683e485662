using System.Security.Cryptography;
using System.Text;

namespace Bruma.Recipes.Adaptation;

/// <summary>What a picture is for.</summary>
public enum DataPart
{
    Training,

    /// <summary>Watched during training.</summary>
    Validation,

    /// <summary>Measured once, at the end.</summary>
    Test,
}

/// <summary>Parts of a data set that are fixed by the names in it: the same pictures on every machine and in every run.</summary>
/// <remarks>The first byte of the SHA-256 of a name (as <c>file_name</c> in <c>metadata.jsonl</c>, folder included): below 51 is the test part, a fifth; the validation part follows.</remarks>
public static class HashedParts
{
    private const int TestBelow = 51;
    private const int Bytes = 256;

    /// <param name="validationShare">Of all pictures; 0 puts every picture into training.</param>
    public static DataPart Of(string name, double validationShare)
    {
        if (validationShare == 0)
            return DataPart.Training;
        var first = SHA256.HashData(Encoding.UTF8.GetBytes(name))[0];
        return first < TestBelow ? DataPart.Test : first < TestBelow + Math.Ceiling(validationShare * Bytes) ? DataPart.Validation : DataPart.Training;
    }

    /// <summary>Where in a list of names those of a part stand.</summary>
    public static List<int> Places(IReadOnlyList<string> names, double validationShare, DataPart part) => [.. Enumerable.Range(0, names.Count).Where(i => Of(names[i], validationShare) == part)];
}
