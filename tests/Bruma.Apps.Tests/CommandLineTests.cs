using Bruma.Apps.Tests.Support;

namespace Bruma.Apps.Tests;

/// <summary>Wrong usage exits with 2 and says in one sentence what to do.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("paint", "paint")]
    [InlineData("train diffusion --data x --output y --push_to_hub", "upload")]
    [InlineData("train diffusion --data x --output y --resume_from_checkpoint latest", "bruma resume")]
    [InlineData("generate --steps many", "many")]
    [InlineData("generate --output picture.txt", ".png")]
    [InlineData("generate x --taesd y", "previews")]
    [InlineData("generate x --size 64", "WIDTHxHEIGHT")]
    [InlineData("generate x --mask m.png", "--image")]
    [InlineData("generate x --image cats/../cat.png --output cat.png", "--image")]
    [InlineData("generate x --image a.png --mask cat07.png --output cat%02d.png --count 9", "--mask")]
    [InlineData("replay cat.png --output cat.png", "another name")]
    [InlineData("generate x --class bag", "both")]
    [InlineData("generate x --control c", "--control-image")]
    [InlineData("generate x --rng dice", "cpu or cuda")]
    [InlineData("denoise fashion --prompt shoe", "--class")]
    [InlineData("denoise --columns 1", "at least 2")]
    public void Wrong_usage_exits_with_2_and_names_the_way_out(string arguments, string expected)
    {
        var result = BrumaProgram.Run(arguments.Split(' '));
        Assert.Equal(2, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_of_a_set_of_pictures_means_the_set_also_beside_a_folder_of_that_name()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.At("cats"));
        var variables = new Dictionary<string, string> { ["BRUMA_DATA"] = folder.At("data"), ["BRUMA_SHARED"] = "" };
        Assert.Contains("BRUMA_SHARED", Train("cats"), StringComparison.Ordinal); // where the set's photos would be
        Assert.Contains("./cats", Train("./cats"), StringComparison.Ordinal);

        string Train(string data)
        {
            var result = BrumaProgram.RunIn(folder.At("."), variables, "train", "gan", "--data", data, "--output", folder.At("run"));
            Assert.Equal(1, result.Code);
            return result.Error;
        }
    }

    [Fact]
    public void A_file_that_is_no_model_is_one_sentence_and_exit_code_1()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("model.safetensors");
        File.WriteAllText(path, "<html>not found</html>");
        var result = BrumaProgram.Run("models", "inspect", path);
        Assert.Equal((1, ""), (result.Code, result.Output));
        Assert.Equal($"bruma: {path}: is a web page or XML instead of a file of weights (an error or log-in page, perhaps); download the model again.", result.Error.TrimEnd());
    }

    [Theory]
    [InlineData("generate --model no-such-model", "no-such-model")]
    [InlineData("train diffusion --data no-such-folder --output never-written", "no-such-folder")]
    [InlineData("resume no-such-run", "no-such-run")]
    [InlineData("verify --cases no-such-cases", "no-such-cases")]
    public void Work_that_cannot_start_exits_with_1_and_names_what_is_missing(string arguments, string expected)
    {
        var result = BrumaProgram.Run(arguments.Split(' '));
        Assert.Equal(1, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists("never-written"));
    }
}
