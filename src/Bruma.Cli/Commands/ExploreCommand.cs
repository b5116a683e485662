using System.CommandLine;
using Bruma.Cli.Exploration;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma explore</c>: the latent space and the denoising, in labelled pictures.</summary>
internal static class ExploreCommand
{
    public static Command Create() => new("explore", "Walk through the latent space, compare settings, look into the denoising. All take the flags of bruma generate. Example: bruma explore walk \"a red apple\" --frames 24")
    {
        Interpolate(), Walk(), Grid(), Denoise(), Invert(), Attention(),
    };

    private static Command Interpolate()
    {
        var frames = Frames();
        var seed = new Option<long?>("--to-seed") { Description = "The seed to arrive at (default: the next one, or the same where there is another prompt)." };
        var prompt = new Option<string?>("--to-prompt") { Description = "The prompt to arrive at (default: the same)." };
        return ExplorationContext.Command("interpolate", "From one seed to another on the sphere, and from one prompt to another in a line: frames as a sheet and an animation. Example: bruma explore interpolate \"a cat\" --to-prompt \"a dog\"", [frames, seed, prompt], (context, parsed) =>
        {
            var toPrompt = parsed.GetValue(prompt);
            PathExplorations.Interpolate(context, Count(parsed, frames), parsed.GetValue(seed) ?? context.Request.Seed + (toPrompt is null ? 1 : 0), toPrompt);
        });
    }

    private static Command Walk()
    {
        var frames = Frames();
        var distance = new Option<double>("--distance") { Description = "How far from the seed: 0 stays, 1 is as far as unrelated noise.", DefaultValueFactory = _ => 0.25 };
        return ExplorationContext.Command("walk", "A smooth closed path around one seed, as a sheet and an animation that loops. Example: bruma explore walk \"a red apple\" --distance 0.3", [frames, distance], (context, parsed) =>
        {
            var far = parsed.GetValue(distance);
            if (far is not (>= 0 and <= 1))
                throw new UsageException(FormattableString.Invariant($"--distance {far}: must be 0 to 1."));
            PathExplorations.Walk(context, Count(parsed, frames), far);
        });
    }

    private static Command Grid()
    {
        var rows = new Option<string>("--rows") { Description = $"NAME=VALUE,VALUE,... (values of a prompt parted by ;), with a name of {string.Join(", ", GridExploration.Names)}.", DefaultValueFactory = _ => "steps=5,10,20" };
        var columns = new Option<string>("--columns") { Description = "The same for the other direction.", DefaultValueFactory = _ => "guidance=1,4,7,12" };
        return ExplorationContext.Command("grid", "Two settings against one another on one sheet, with the time of each picture. Example: bruma explore grid \"a cat\" --rows scheduler=euler,ddim --columns seed=1,2,3", [rows, columns], (context, parsed) =>
            GridExploration.Run(context, parsed.GetValue(rows)!, parsed.GetValue(columns)!));
    }

    private static Command Denoise()
    {
        var moments = new Option<int>("--moments") { Description = "Steps on the sheet; the animation has all.", DefaultValueFactory = _ => 8 };
        return ExplorationContext.Command("denoise", "The iterative denoising: the latents after each step and what the network takes them for, decoded. Example: bruma explore denoise \"a cat\" --steps 20", [moments], (context, parsed) =>
            StepsExploration.Run(context, Math.Max(2, parsed.GetValue(moments))));
    }

    private static Command Invert()
    {
        var edit = new Option<string?>("--edit") { Description = "The prompt to draw from the same noise." };
        return ExplorationContext.Command("invert", "A real picture back to its noise (DDIM inversion), then drawn again, also with an edited prompt. Example: bruma explore invert \"a cat\" --image cat.png --edit \"a dog\"", [edit], (context, parsed) =>
            InvertExploration.Run(context, parsed.GetValue(edit)));
    }

    private static Command Attention() => ExplorationContext.Command("attention", "Where the network looked for each word of the prompt, as heat over the picture. Example: bruma explore attention \"a cat on a mat\"", [], (context, _) =>
        AttentionExploration.Run(context));

    private static Option<int> Frames() => new("--frames") { Description = "Pictures on the way.", DefaultValueFactory = _ => 12 };

    private static int Count(ParseResult parsed, Option<int> frames) =>
        parsed.GetValue(frames) is >= 2 and <= 1000 and var count ? count : throw new UsageException($"--frames {parsed.GetValue(frames)}: must be 2 to 1000.");
}
