using Bruma.Metrics;
using static TorchSharp.torch;

namespace Bruma.Tests.Metrics;

public sealed class EdgeAgreementTests
{
    private const int Side = 20;

    [Theory]
    [InlineData(5, 5, 1)]
    [InlineData(5, 6, 1)] // a pixel beside still counts
    [InlineData(5, 7, 0)]
    public void A_line_is_found_within_a_pixel(int asked, int drawn, double expected)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected, EdgeAgreement.Of(Line(asked), Line(drawn)).F1);
    }

    [Fact]
    public void Half_a_line_is_precise_and_recalls_half()
    {
        using var scope = NewDisposeScope();
        var half = Line(5);
        half[0, TensorIndex.Ellipsis].narrow(0, Side / 2, Side / 2).zero_();
        var agreement = EdgeAgreement.Of(Line(5), half);
        Assert.Equal(1, agreement.Precision);
        Assert.Equal((Side / 2 + 1.0) / Side, agreement.Recall, 12); // and one more, within a pixel of the end
        Assert.Equal(2 * agreement.Recall / (1 + agreement.Recall), agreement.F1, 12);
    }

    [Fact]
    public void Pictures_agree_with_their_own_outlines_and_not_with_those_of_others()
    {
        using var scope = NewDisposeScope();
        var lines = new[] { Line(2), Line(8), Line(14) };
        Assert.Equal((1, 0), EdgeAgreement.MeanF1(lines, lines));
        Assert.Equal((1, 1), EdgeAgreement.MeanF1([lines[0], lines[0]], [lines[0], lines[0]]));
        Assert.Equal(1, EdgeAgreement.Of(zeros_like(lines[0]), zeros_like(lines[0])).F1);
        Assert.Equal(0, EdgeAgreement.Of(lines[0], zeros_like(lines[0])).F1);
    }

    private static Tensor Line(int column)
    {
        var picture = zeros([1, Side, Side], uint8);
        picture.narrow(2, column, 1).fill_(255);
        return picture;
    }
}
