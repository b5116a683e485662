namespace Bruma.Tests;

public sealed class SpellingTests
{
    [Theory]
    [InlineData("eulr", "euler")]
    [InlineData("DPM++2N", "dpm++2m")]
    [InlineData("kangaroo", null)]
    public void The_nearest_name_is_found_or_none(string name, string? expected) =>
        Assert.Equal(expected, Spelling.Nearest(name, ["ddim", "euler", "euler_a", "dpm++2m", "dpm++3m"]));
}
