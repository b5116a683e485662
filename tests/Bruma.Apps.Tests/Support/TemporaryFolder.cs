using SkiaSharp;

namespace Bruma.Apps.Tests.Support;

/// <summary>A folder that is gone after the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("bruma-test-").FullName;

    public string At(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Small pictures in two classes (red circles, blue squares), one of them broken.</summary>
    public string Pictures(int perClass)
    {
        for (var i = 0; i < perClass; i++)
        {
            Draw(At("pictures", "circle", $"{i}.png"), canvas => canvas.DrawCircle(8 + i % 3, 8, 5, new SKPaint { Color = SKColors.Red }));
            Draw(At("pictures", "square", $"{i}.png"), canvas => canvas.DrawRect(3 + i % 3, 4, 9, 9, new SKPaint { Color = SKColors.Blue }));
        }
        File.WriteAllText(At("pictures", "circle", "broken.jpg"), "this is no picture");
        return At("pictures");
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static void Draw(string path, Action<SKCanvas> draw)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var bitmap = new SKBitmap(20, 16);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        draw(canvas);
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(path, data.ToArray());
    }
}
