using Bruma.Recipes.Adaptation;

namespace Bruma.Cli;

/// <summary>Flags as users of other programs type them: rewritten to Bruma's, or refused with the alternative; never ignored.</summary>
/// <remarks>stable-diffusion.cpp (<c>--cfg-scale</c>), diffusers' scripts (<c>--max_train_steps</c>), kohya's (<c>--network_dim</c>) and torch-fidelity (<c>--input1</c>).</remarks>
internal static class FlagSpelling
{
    private const string Adapt = "train to adapt"; // the recipes of AdaptationOptions

    private static readonly Dictionary<string, Dictionary<string, string>> Aliases = new(StringComparer.Ordinal)
    {
        ["generate"] = new(StringComparer.Ordinal)
        {
            ["-p"] = "--prompt",
            ["-m"] = "--model",
            ["--pretrained_model_name_or_path"] = "--model",
            ["-n"] = "--negative-prompt",
            ["-s"] = "--seed",
            ["--rng-seed"] = "--seed",
            ["-b"] = "--count",
            ["--batch-count"] = "--count",
            ["--num-images-per-prompt"] = "--count",
            ["--num-inference-steps"] = "--steps",
            ["--cfg-scale"] = "--guidance-scale",
            ["--guidance"] = "--guidance-scale",
            ["--sampling-method"] = "--scheduler",
            ["--sampler"] = "--scheduler",
            ["--class-label"] = "--class",
            ["-t"] = "--threads",
            ["-W"] = "--width",
            ["-H"] = "--height",
            ["-i"] = "--image",
            ["--init-img"] = "--image",
            ["--init-image"] = "--image",
            ["--mask-image"] = "--mask",
            ["--denoising-strength"] = "--strength",
            ["--img-cfg-scale"] = "--image-guidance-scale",
            ["--control-net"] = "--control",
            ["--controlnet"] = "--control",
            ["--controlnet-conditioning-scale"] = "--control-strength",
            ["--control-guidance-start"] = "--control-start",
            ["--control-guidance-end"] = "--control-end",
            ["--vae-tiling"] = "--tiling",
            ["--hires-denoising-strength"] = "--hires-strength",
            ["--disable-image-metadata"] = "--no-metadata",
            ["--subseed"] = "--variation-seed",
            ["--subseed-strength"] = "--variation-strength",
            ["--prediction-type"] = "--prediction",
        },
        [Adapt] = new(StringComparer.Ordinal)
        {
            ["--pretrained-model-name-or-path"] = "--model",
            ["--train-data-dir"] = "--data",
            ["--instance-data-dir"] = "--data",
            ["--dataset-name"] = "--data",
            ["--class-data-dir"] = "--class-data",
            ["--reg-data-dir"] = "--class-data",
            ["--num-class-images"] = "--class-images",
            ["--output-dir"] = "--output",
            ["--max-train-steps"] = "--steps",
            ["--num-train-epochs"] = "--epochs",
            ["--max-train-epochs"] = "--epochs",
            ["--train-batch-size"] = "--batch-size",
            ["--unet-lr"] = "--learning-rate",
            ["--lr-scheduler"] = "--lr-schedule",
            ["--adam-weight-decay"] = "--weight-decay",
            ["--max-grad-norm"] = "--max-gradient-norm",
            ["--ema-max-decay"] = "--ema-decay",
            ["--network-alpha"] = "--alpha",
            ["--network-dropout"] = "--lora-dropout",
            ["--use-dora"] = "--dora",
            ["--caption-dropout-rate"] = "--caption-dropout",
            ["--shuffle-caption"] = "--shuffle-tags",
            ["--random-flip"] = "--flip",
            ["--flip-aug"] = "--flip",
            ["--snr-gamma"] = "--min-snr-gamma",
            ["--offset-noise"] = "--noise-offset",
            ["--checkpointing-steps"] = "--checkpoint-every",
            ["--save-every-n-steps"] = "--checkpoint-every",
            ["--sample-every-n-steps"] = "--sample-every",
            ["--validation-prompt"] = "--sample-prompts",
            ["--validation-steps"] = "--sample-every",
            ["--proportion-empty-prompts"] = "--caption-dropout",
            ["--validation-prompts"] = "--sample-prompts",
            ["--mixed-precision"] = "--precision",
        },
        ["train"] = new(StringComparer.Ordinal)
        {
            ["--train-data-dir"] = "--data",
            ["--dataset-name"] = "--data",
            ["--output-dir"] = "--output",
            ["--max-train-steps"] = "--steps",
            ["--train-batch-size"] = "--batch-size",
            ["--checkpointing-steps"] = "--checkpoint-every",
            ["--save-every-n-steps"] = "--checkpoint-every",
            ["--sample-every-n-steps"] = "--sample-every",
            ["--lr-scheduler"] = "--lr-schedule",
            ["--prediction-type"] = "--prediction",
            ["--mixed-precision"] = "--precision",
            ["--snr-gamma"] = "--min-snr-gamma",
            ["--max-grad-norm"] = "--max-gradient-norm",
            ["--adam-weight-decay"] = "--weight-decay",
            ["--random-flip"] = "--flip",
            ["--ema-max-decay"] = "--ema-decay",
            ["--checkpoints-total-limit"] = "--checkpoints-total-limit",
        },
        ["evaluate"] = new(StringComparer.Ordinal)
        {
            ["--input1"] = "--samples",
            ["--input2"] = "--reference",
            ["--feature-extractor"] = "--features",
            ["--prc-neighborhood"] = "--neighbours",
            ["--rng-seed"] = "--seed",
            ["--samples-resize-and-crop"] = "--resize-and-crop",
            ["--cache-root"] = "--cache",
        },
    };

    private static readonly Dictionary<string, Dictionary<string, string>> Refused = new(StringComparer.Ordinal)
    {
        ["generate"] = new(StringComparer.Ordinal)
        {
            ["--mode"] = "choose the work by command: bruma generate, bruma train, bruma models",
            ["--type"] = "Bruma chooses bf16 or fp32 from the CPU; say --precision fp32 to force it",
            ["--diffusion-fa"] = "attention is chosen by size; leave it out",
            ["--fa"] = "attention is chosen by size; leave it out",
            ["--offload-to-cpu"] = "everything runs on the CPU already; leave it out",
            ["--clip-on-cpu"] = "everything runs on the CPU already; leave it out",
            ["--vae-on-cpu"] = "everything runs on the CPU already; leave it out",
            ["--embd-dir"] = "name each embedding with --embedding FILE",
            ["--taesd"] = "previews are decoded by the model's own autoencoder; leave it out",
            ["--vae-tile-size"] = "tiles have 512 pixels; leave it out",
            ["--vae-tile-overlap"] = "tiles overlap by 128 pixels; leave it out",
            ["--lora-apply-mode"] = "adapters are merged into the weights; leave it out",
            ["--sampler-rng"] = "--rng is for all draws; leave it out",
            ["--upscale-model"] = "enlarge with --hires",
            ["--mmap"] = "weights are read straight into place always; leave it out",
        },
        [Adapt] = new(StringComparer.Ordinal)
        {
            ["--resume-from-checkpoint"] = "use bruma resume RUN",
            ["--resume"] = "use bruma resume RUN",
            ["--text-encoder-lr"] = "the text encoders are trained at --learning-rate, with --train-text-encoder",
            ["--push-to-hub"] = "upload RUN/model by hand: it has the layout of diffusers",
            ["--validation-image"] = "the sheets show outlines of pictures that are not trained on; leave it out",
            ["--controlnet-model-name-or-path"] = "the network begins as a copy of the base; go on with a run by bruma resume RUN",
            ["--scale-lr"] = "give the learning rate itself with --learning-rate",
            ["--image-interpolation-mode"] = "pictures are resized with PIL's bicubic filter; leave it out",
            ["--sample-prompts-file"] = "give the prompts themselves with --sample-prompts",
            ["--enable-bucket"] = "pictures are cut to squares (around the head_box of metadata.jsonl, where there is one); leave it out",
            ["--center-crop"] = "pictures are always cut to the square in the middle, or around their head_box; leave it out",
        },
        ["train"] = new(StringComparer.Ordinal)
        {
            ["--resume-from-checkpoint"] = "use bruma resume RUN",
            ["--resume"] = "use bruma resume RUN",
            ["--num-train-epochs"] = "give the length as --steps (images / batch size = steps of an epoch)",
            ["--num-epochs"] = "give the length as --steps (images / batch size = steps of an epoch)",
            ["--max-train-epochs"] = "give the length as --steps (images / batch size = steps of an epoch)",
            ["--use-8bit-adam"] = "the optimizer keeps fp32 moments; leave it out",
            ["--enable-xformers-memory-efficient-attention"] = "attention is chosen by size; leave it out",
            ["--push-to-hub"] = "upload RUN/model by hand: it is a diffusers folder",
            ["--report-to"] = "RUN always holds TensorBoard events and stats.jsonl; leave it out",
            ["--use-ema"] = "weights are always averaged; choose how with --ema-decay",
            ["--save-state"] = "every checkpoint holds the whole state; leave it out",
            ["--dataloader-num-workers"] = "batches are prefetched on background threads; leave it out",
            ["--local-rank"] = "training runs in one process; leave it out",
            ["--pretrained-model-name-or-path"] = "train diffusion starts from scratch; leave it out",
            ["--scale-lr"] = "give the learning rate itself with --learning-rate",
            ["--image-interpolation-mode"] = "images are resized with Lanczos; leave it out",
        },
        ["evaluate"] = new(StringComparer.Ordinal)
        {
            ["--ppl"] = "perceptual path length needs a generator that interpolates; leave it out",
            ["--mind"] = "MIND is not implemented; --kid and --metrics cmmd are kernel distances too",
            ["--batch-size"] = "batches are chosen; leave it out",
            ["--gpu"] = "everything runs on the CPU; leave it out",
            ["-g"] = "everything runs on the CPU; leave it out",
        },
    };

    /// <summary>The arguments in Bruma's spelling.</summary>
    /// <exception cref="UsageException">A known flag of another program that has no equivalent.</exception>
    public static string[] Rewrite(string[] arguments)
    {
        var words = arguments.Where(argument => !argument.StartsWith('-')).SkipWhile(word => word == "plan").Take(2).ToList();
        var command = words is ["train", var recipe] && AdaptationOptions.Recipes.Contains(recipe) ? Adapt : words.FirstOrDefault() ?? "";
        return [.. arguments.Select(argument => argument.StartsWith('-') ? RewriteFlag(command, argument) : argument)];
    }

    private static string RewriteFlag(string command, string argument)
    {
        var end = argument.IndexOf('=', StringComparison.Ordinal);
        var (flag, value) = end < 0 ? (argument, "") : (argument[..end], argument[end..]);
        var spelled = flag.StartsWith("--", StringComparison.Ordinal) ? flag.Replace('_', '-') : flag;
        command = command == "explore" ? "generate" : command; // the same flags
        if (Refused.TryGetValue(command, out var refused) && refused.TryGetValue(spelled, out var alternative))
            throw new UsageException($"{flag} has no equivalent here: {alternative}.");
        if (Aliases.TryGetValue(command, out var aliases) && aliases.TryGetValue(spelled, out var ours))
            spelled = ours;
        return spelled + value;
    }
}

/// <summary>Wrong usage: one sentence, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
