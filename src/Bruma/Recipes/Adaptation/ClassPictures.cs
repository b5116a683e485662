using System.Security.Cryptography;
using System.Text;
using Bruma.Hub;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes.Adaptation;

/// <summary>Pictures that the base draws of a class, so that DreamBooth does not forget it: drawn once, kept in the cache.</summary>
internal static class ClassPictures
{
    /// <returns>The folder with exactly the asked number of pictures.</returns>
    public static string Folder(BaseModel model, AdaptationOptions options)
    {
        var drawing = new Drawing(model, options.Resolution);
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{model.Sha256()}\n{options.ClassPrompt}\n{drawing.Settings}\n{options.ClassImages}"))))[..16];
        var folder = Path.Combine(UserCache.Root, "class-pictures", key);
        Directory.CreateDirectory(folder);
        for (var seed = 0; seed < options.ClassImages; seed++)
        {
            var path = Path.Combine(folder, $"{seed:D5}.png");
            if (File.Exists(path))
                continue;
            using var scope = NewDisposeScope();
            PngFile.Write(path, drawing.Draw(options.ClassPrompt!, seed));
        }
        return folder;
    }
}
