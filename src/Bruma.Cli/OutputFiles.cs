using System.Globalization;
using System.Text.RegularExpressions;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Cli;

/// <summary>Where pictures go: one contact sheet, or a file each when the name holds <c>%d</c> or <c>%03d</c>.</summary>
internal static partial class OutputFiles
{
    public static void Check(string output)
    {
        if (!output.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--output {output}: pictures are written as PNG; give a name that ends in .png.");
    }

    /// <param name="output">The name that the user gave.</param>
    /// <param name="images">uint8 [N, C, H, W].</param>
    /// <param name="text">PNG text of picture i.</param>
    /// <returns>The files written.</returns>
    public static IReadOnlyList<string> Write(string output, Tensor images, Func<int, Dictionary<string, string>> text)
    {
        var count = (int)images.shape[0];
        if (!Number().IsMatch(output))
        {
            using var sheet = count == 1 ? images[0].clone() : ContactSheet.Compose([.. images.unbind()]);
            PngFile.Write(output, sheet, text(0));
            return [output];
        }
        var files = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var index = i;
            var file = Number().Replace(output, match => (index + 1).ToString($"D{(match.Groups[1].Length == 0 ? "1" : match.Groups[1].Value)}", CultureInfo.InvariantCulture));
            using var image = images[i].clone();
            PngFile.Write(file, image, text(i));
            files.Add(file);
        }
        return files;
    }

    [GeneratedRegex("%0?([0-9]*)d")]
    private static partial Regex Number();
}
