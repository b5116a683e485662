using Bruma.Hub;
using Bruma.Imaging;

namespace Bruma.Metrics;

/// <summary>How CLIP wants its pictures.</summary>
internal static class ClipPictures
{
    private const string FileName = "preprocessor_config.json";

    private const int Bicubic = 3;

    /// <summary>From the folder's <c>preprocessor_config.json</c>; where it is missing, OpenAI's values at the network's size.</summary>
    public static ImageProcessor Processor(string folder, int size)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return new ImageProcessor(Size: new ProcessorSize(ShortestEdge: size), Resample: Bicubic, DoCenterCrop: true, CropSize: new ProcessorSize(Height: size, Width: size),
                ImageMean: [0.48145466, 0.4578275, 0.40821073], ImageStd: [0.26862954, 0.26130258, 0.27577711]);
        using var json = PythonJson.ParseFile(path);
        return ImageProcessor.Read(path, json.RootElement);
    }
}
