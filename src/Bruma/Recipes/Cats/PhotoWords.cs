using Bruma.Data.Emoji;
using static TorchSharp.torch;

namespace Bruma.Recipes.Cats;

/// <summary>What can be said of a photo from its pixels alone, with the words that the shipped text-to-image model knows.</summary>
/// <param name="Coat">The colour of the middle, where the animal is.</param>
/// <param name="Ground">The colour of the left, right and upper edges.</param>
/// <param name="Lightness">dark, bright, or null between them.</param>
/// <remarks>A fixed rule and no network: what was asked for and what was drawn are measured alike.</remarks>
internal sealed record PhotoWords(NamedColour Coat, NamedColour Ground, string? Lightness)
{
    public const string Dark = "dark";
    public const string Bright = "bright";

    private const double MiddleRadius = 0.3; // of the side
    private const double EdgeWidth = 0.12;
    private const double DarkBelow = 0.42; // mean lightness
    private const double BrightAbove = 0.68;
    private const float ChromaWeight = 4; // hues of photos are fainter than those of the samples, and count for more

    /// <param name="square">uint8 [3, S, S].</param>
    public static PhotoWords Of(Tensor square)
    {
        using var scope = NewDisposeScope();
        var side = (int)square.shape[1];
        var pixels = square.contiguous().data<byte>().ToArray();
        var (middle, edge, all) = (new MeanColour(), new MeanColour(), new MeanColour());
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                var i = y * side + x;
                var colour = OkLch.Of(pixels[i], pixels[side * side + i], pixels[2 * side * side + i]);
                all.Add(colour);
                if (Math.Pow(x + 0.5 - side / 2.0, 2) + Math.Pow(y + 0.5 - side / 2.0, 2) < Math.Pow(MiddleRadius * side, 2))
                    middle.Add(colour);
                if (y < EdgeWidth * side || x < EdgeWidth * side || x >= side * (1 - EdgeWidth))
                    edge.Add(colour);
            }
        return new PhotoWords(middle.Nearest(), edge.Nearest(), all.Lightness < DarkBelow ? Dark : all.Lightness > BrightAbove ? Bright : null);
    }

    private sealed class MeanColour
    {
        private double _lightness;
        private double _a;
        private double _b;
        private int _count;

        public double Lightness => _lightness / _count;

        public void Add(OkLch colour)
        {
            var (a, b) = colour.Axes;
            _lightness += colour.Lightness;
            _a += a;
            _b += b;
            _count++;
        }

        public NamedColour Nearest() => EmojiRecolour.Colours.MinBy(named =>
        {
            var (sampleA, sampleB) = named.Sample.Axes;
            var (l, a, b) = (Lightness - named.Sample.Lightness, _a / _count - sampleA, _b / _count - sampleB);
            return l * l + ChromaWeight * (a * a + b * b);
        })!;
    }
}
