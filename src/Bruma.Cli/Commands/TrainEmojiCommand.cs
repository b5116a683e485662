using System.CommandLine;
using Bruma.Data;
using Bruma.Data.Emoji;
using Bruma.Recipes;
using Bruma.Recipes.Emoji;
using Bruma.Training;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma train text-to-image --recipe emoji</c>, or <c>bruma train emoji</c>: the shipped text-to-image model, from data to pipeline.</summary>
internal static class TrainEmojiCommand
{
    private const string Name = "emoji";
    private const string LongName = "text-to-image";
    private const int CoolingSteps = 500;
    private const int RefiningSteps = 5000;
    private const int ContinuedSteps = 5000;
    private const int RefiningBatch = 16;

    /// <summary>Training by a recipe shares its name with training on one's own pictures; the option tells them apart.</summary>
    public static string[] Rewrite(string[] args) =>
        args is ["train", LongName, ..] && RecipeFlags.IsGiven(args, RecipeFlags.Option) ? ["train", Name, .. args[2..]] : args;

    public static Command Create()
    {
        var recipe = new Option<string>(RecipeFlags.Option) { Description = "The recipe: emoji, which makes the model that comes with Bruma.", DefaultValueFactory = _ => EmojiOptions.RecipeName };
        var output = new Option<string>("--output", "-o") { Description = "Folder of the run; must be new or empty. Every stage gets a folder in it.", Required = true };
        var data = new Option<string?>("--data") { Description = "Folder of the data set (default: where bruma data build emoji puts it)." };
        var photos = new Option<string?>("--photos") { Description = "Folder of the pets photos, which the autoencoder sees beside the emoji (default: BRUMA_SHARED/data/pets where it is there)." };
        var quick = new Option<bool>("--quick") { Description = "Two styles, 100 concepts, tiny networks: two minutes, to see that everything learns." };
        var only = new Option<string?>("--only") { Description = $"Only one stage: {string.Join(", ", EmojiTraining.StageNames)}." };
        var stages = new Option<string?>("--stages") { Description = "Another run whose finished stages vae and text the stage unet builds on (default: this run's own)." };
        var coolDown = new Option<string?>("--cool-down") { Description = "Make a model of a denoiser that is still in training: RUN/unet, whose newest checkpoint is trained on for --steps with a falling rate. That run itself goes on as before." };
        var refine = new Option<string?>("--refine-decoder") { Description = "Train the decoder of a finished autoencoder, RUN/vae or a model such as emoji, on for --steps, on emoji and as many photos. The latents stay what they are, so the result takes the autoencoder's place at any time." };
        var adversary = new Option<double>("--adversary-weight") { Description = "With --refine-decoder: pull, beside the other losses, of a discriminator that sees what is blurred; 0 leaves it out.", DefaultValueFactory = _ => 0 };
        var batch = new Option<int>("--batch-size") { Description = "Pictures per step of --refine-decoder with a model.", DefaultValueFactory = _ => RefiningBatch };
        var goOn = new Option<string?>("--continue") { Description = "Train the denoiser of a finished model, such as emoji, on for --steps: its weights are the start, autoencoder and tokenizer stay, the last quarter cools down. No run folder is needed." };
        var steps = new Option<int?>("--steps") { Description = $"Steps of --cool-down (default: {CoolingSteps}), --refine-decoder (default: {RefiningSteps}), --continue (default: {ContinuedSteps}) or --only (default: those of the stage)." };
        var resolution = new Option<int>("--resolution") { Description = "Side of the pictures, 64 or 128.", DefaultValueFactory = _ => 128 };
        var seed = new Option<long>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 0 };
        var precision = new Option<string?>("--precision") { Description = "bf16 or fp32 (default: bf16 where the CPU has it)." };
        var threads = new Option<int>("--threads") { Description = "Threads; 0 for all processors." };
        var json = new Option<bool>("--json") { Description = "Progress as JSON lines." };
        var command = new Command(Name, "Train the text-to-image model that comes with Bruma, from data to model. Example: bruma train text-to-image --recipe emoji --output runs/emoji") { recipe, output, data, photos, quick, only, stages, coolDown, refine, adversary, batch, goOn, steps, resolution, seed, precision, threads, json };
        command.SetAction((parsed, cancellation) => TrainingSession.Start(() =>
        {
            if (parsed.GetValue(recipe) != EmojiOptions.RecipeName)
                throw new UsageException($"--recipe {parsed.GetValue(recipe)}: no such recipe; there are {string.Join(", ", [EmojiOptions.RecipeName, .. RecipeFlags.Of(LongName)])}.");
            if (parsed.GetValue(coolDown) is { } going)
                return Begun(EmojiUnetTraining.CoolDown(parsed.GetValue(output)!, going, Checked(parsed.GetValue(steps), CoolingSteps), EmojiSplits.Committed));
            var pull = parsed.GetValue(adversary) is >= 0 and var weight ? weight : throw new UsageException(FormattableString.Invariant($"--adversary-weight {parsed.GetValue(adversary)}: must be 0 or more."));
            if (parsed.GetValue(refine) is { } finished && RunFolder.IsRun(finished) && !File.Exists(Path.Combine(finished, "model", "model_index.json")))
                return Begun(EmojiVaeTraining.Refine(parsed.GetValue(output)!, finished, Checked(parsed.GetValue(steps), RefiningSteps), pull, EmojiSplits.Committed));
            var pictures = parsed.GetValue(data) ?? EmojiDataset.DefaultFolder(EmojiOptions.RecipeName);
            var photosOfPets = parsed.GetValue(photos) ?? PictureSets.Pets;
            if (parsed.GetValue(refine) is { } refined)
                return EmojiVaeTraining.Start(parsed.GetValue(output)!, new EmojiVaeOptions(pictures, photosOfPets).Refining(Path.GetFullPath(Path.Combine(ModelPath.Find(refined), "vae")), Checked(parsed.GetValue(steps), RefiningSteps)) with
                {
                    AdversaryWeight = pull,
                    BatchSize = Checked(parsed.GetValue(batch), RefiningBatch, "--batch-size"),
                    Seed = parsed.GetValue(seed),
                    Precision = Native.Precision(parsed.GetValue(precision)),
                    Threads = Native.UseThreads(parsed.GetValue(threads)),
                }, EmojiSplits.Committed);
            if (parsed.GetValue(goOn) is { } model)
                return EmojiUnetTraining.Start(parsed.GetValue(output)!, EmojiUnetOptions.Continued(pictures, Path.GetFullPath(ModelPath.Find(model)), Checked(parsed.GetValue(steps), ContinuedSteps)) with
                {
                    Seed = parsed.GetValue(seed),
                    Precision = Native.Precision(parsed.GetValue(precision)),
                    Threads = Native.UseThreads(parsed.GetValue(threads)),
                }, EmojiSplits.Committed);
            var options = TrainingSession.Checked(() => new EmojiOptions(
                pictures, photosOfPets, FashionMnist.IsThere, parsed.GetValue(quick), parsed.GetValue(resolution),
                parsed.GetValue(only), parsed.GetValue(steps), parsed.GetValue(stages) is { } other ? Path.GetFullPath(other) : null, parsed.GetValue(seed), Native.Precision(parsed.GetValue(precision)), Native.UseThreads(parsed.GetValue(threads))).Checked());
            return EmojiTraining.Start(parsed.GetValue(output)!, options);
        }, parsed.GetValue(json), cancellation));
        return command;
    }

    private static int Checked(int? number, int standard, string option = "--steps") => number is < 1 ? throw new UsageException($"{option} {number}: must be at least 1.") : number ?? standard;

    private static ITrainingRun Begun(ITrainingRun training)
    {
        Native.UseThreads(training.Threads);
        return training;
    }
}
