using Bruma.Data.Emoji;
using Bruma.Recipes.Adaptation;
using Bruma.Recipes.Emoji;
using Bruma.Recipes.Finetuning;
using Bruma.Training;

namespace Bruma.Recipes;

/// <summary>Goes on with a run of any recipe, by the name in its <c>config.json</c>.</summary>
public static class TrainingRuns
{
    private static readonly Dictionary<string, Func<string, ITrainingRun>> Recipes = new(StringComparer.Ordinal)
    {
        [ClassifierOptions.RecipeName] = ClassifierTraining.Resume,
        [DiffusionOptions.RecipeName] = DiffusionTraining.Resume,
        [FinetuneOptions.RecipeName] = FinetuneTraining.Resume,
        [EmojiOptions.RecipeName] = EmojiTraining.Resume,
        [EmojiVaeOptions.RecipeName] = folder => EmojiVaeTraining.Resume(folder, EmojiSplits.Committed),
        [EmojiTextOptions.RecipeName] = folder => EmojiTextTraining.Resume(folder, EmojiSplits.Committed),
        [EmojiUnetOptions.RecipeName] = folder => EmojiUnetTraining.Resume(folder, EmojiSplits.Committed),
        [GanOptions.RecipeName] = GanTraining.Resume,
        [AdaptationOptions.TextToImage] = AdaptationRun.Resume,
        [AdaptationOptions.Lora] = AdaptationRun.Resume,
        [AdaptationOptions.DreamBooth] = AdaptationRun.Resume,
        [AdaptationOptions.TextualInversion] = AdaptationRun.Resume,
        [AdaptationOptions.ControlNet] = AdaptationRun.Resume,
        [LanguageModelOptions.RecipeName] = LanguageModelTraining.Resume,
        [SequenceOptions.RecipeName] = SequenceTraining.Resume,
    };

    /// <exception cref="BrumaException">No run is there, or one of a recipe that this build does not have.</exception>
    public static ITrainingRun Resume(string folder)
    {
        var config = RunFolder.Open(folder).Config;
        var recipe = RunConfig.RecipeOf(config);
        return recipe is not null && Recipes.TryGetValue(recipe, out var resume)
            ? resume(folder)
            : throw new BrumaException($"{config}: \"recipe\" is {(recipe is null ? "missing" : $"\"{recipe}\"")}; expected one of {string.Join(", ", Recipes.Keys)}. Give the folder that bruma train wrote.");
    }
}
