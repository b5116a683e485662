using Bruma.Text;

namespace Bruma.Tests.StableDiffusion;

public sealed class ParametersTextTests
{
    [Fact]
    public void A1111s_text_is_read()
    {
        var text = ParametersText.Parse("a cat,\non a mat\nNegative prompt: dark,\nblurry\nSteps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, Model hash: 45dee52b, Lora hashes: \"cat: 1a2b, dog: 3c\", Version: v1.9");
        Assert.Equal(("a cat,\non a mat", "dark,\nblurry", "512x768", "cat: 1a2b, dog: 3c"), (text.Prompt, text.NegativePrompt, text["Size"], text["Lora hashes"]));
    }

    [Fact]
    public void The_unquoted_json_of_sd_cpp_does_not_disturb()
    {
        var text = ParametersText.Parse("a cat\nSteps: 20, CFG scale: 7.0, Seed: 42, Size: 512x512, Sampler: euler_a, Version: stable-diffusion.cpp, SDCPP: {\"a\": 1, \"b\": [2, 3]}");
        Assert.Equal(("euler_a", "{\"a\": 1, \"b\": [2, 3]}"), (text["Sampler"], text["SDCPP"]));
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        var text = new ParametersText("prompt: with, signs", "not \"this\"", [new("Steps", "3"), new("Seed", "1"), new("Note", "a, b: \"c\"\nñ")]);
        Assert.Equal(text.Values, ParametersText.Parse(text.ToString()).Values);
    }

    [Fact]
    public void A_text_without_values_is_a_prompt() => Assert.Equal("just: a prompt, with: signs", ParametersText.Parse("just: a prompt, with: signs").Prompt);
}
