using Bruma.Reports;

namespace Bruma.Tests.Reports;

public sealed class HtmlReportTests
{
    [Fact]
    public void Text_is_escaped_and_numbers_are_aligned()
    {
        var page = new HtmlReport("a < b").Paragraph("<script>").Table(["name", "value"], [["x & y", "1.5"], ["z", "2.0 ± 0.1"]]).ToString();
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
        Assert.Contains("<title>a &lt; b</title>", page, StringComparison.Ordinal);
        Assert.Contains("<td>x &amp; y</td><td class=\"number\">1.5</td>", page, StringComparison.Ordinal);
    }
}
