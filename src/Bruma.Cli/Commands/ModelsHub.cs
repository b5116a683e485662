using System.CommandLine;
using System.Text.Json;
using Bruma.Hub;

namespace Bruma.Cli.Commands;

/// <summary><c>bruma models pull|verify</c>: models of the Hugging Face hub in the cache that Python's programs use too.</summary>
internal static class ModelsHub
{
    public static Command Pull()
    {
        var model = new Argument<string>("model") { Description = "hf:ORG/NAME or hf:ORG/NAME@REVISION." };
        var variant = new Option<string?>("--variant") { Description = "Variant of the weights, such as fp16 (default: the plain ones)." };
        var json = new Option<bool>("--json") { Description = "One JSON object: model and folder." };
        var command = new Command("pull", "Fetch a model from the Hugging Face hub: only what Bruma needs, gone on with after an interruption, sums checked. Example: bruma models pull hf:org/name --variant fp16") { model, variant, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var name = parsed.GetRequiredValue(model);
            if (!HubReference.IsHub(name))
                throw new UsageException($"{name}: write it as hf:ORG/NAME or hf:ORG/NAME@REVISION.");
            var folder = await Fetch(name, parsed.GetValue(variant), cancellation);
            Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(new { model = name, folder }) : folder);
        });
        return command;
    }

    public static Command Verify()
    {
        var path = new Argument<string>("model") { Description = "hf:ORG/NAME, a model's folder, a file, or the name of an installed model." };
        var json = new Option<bool>("--json") { Description = "One JSON object per file." };
        var command = new Command("verify", "Check the files of a model: the hub's sums where they are known, else that the weights can be read and are finite. Example: bruma models verify hf:org/name") { path, json };
        command.SetAction(parsed =>
        {
            var failed = 0;
            foreach (var check in ModelCheck.Of(Find(parsed.GetRequiredValue(path))))
            {
                failed += check.Problem is null ? 0 : 1;
                Console.WriteLine(parsed.GetValue(json)
                    ? JsonSerializer.Serialize(new { file = check.File, @checked = check.Checked, problem = check.Problem })
                    : $"{(check.Problem is null ? check.Checked.Length > 0 ? "ok     " : "present" : "BROKEN ")} {check.File}{(check.Problem is null ? check.Checked.Length > 0 ? $" ({check.Checked})" : "" : $": {check.Problem}")}");
            }
            return failed == 0 ? 0 : throw new BrumaException($"{failed} file{(failed == 1 ? " is" : "s are")} broken; delete and fetch again.");
        });
        return command;
    }

    /// <summary>The folder of a hub's model, fetched if need be; progress goes to the error stream.</summary>
    public static async Task<string> Fetch(string name, string? variant, CancellationToken cancellation)
    {
        var quiet = Environment.GetEnvironmentVariable("HF_HUB_DISABLE_PROGRESS_BARS")?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";
        var next = DateTime.MinValue;
        var progress = new Reporter(report =>
        {
            if (quiet || DateTime.UtcNow < next)
                return;
            next = DateTime.UtcNow.AddSeconds(2);
            Console.Error.WriteLine(FormattableString.Invariant($"{report.Number}/{report.Files} {report.File}  {report.Bytes / 1e6:0.0}{(report.Size is { } size ? $" of {size / 1e6:0.0}" : "")} MB"));
        });
        return await HubDownload.Model(HubReference.Parse(name), variant, progress: progress, cancellationToken: cancellation);
    }

    private static string Find(string name) =>
        HubReference.IsHub(name) ? HubDownload.Cached(name) ?? throw new BrumaException($"{name}: is not in {new HubSettings().Cache}; fetch it with bruma models pull {name}.")
        : File.Exists(name) || Directory.Exists(name) ? name
        : ModelPath.Find(name);

    /// <summary>Reports on the thread that downloads, in order.</summary>
    private sealed class Reporter(Action<HubProgress> report) : IProgress<HubProgress>
    {
        public void Report(HubProgress value) => report(value);
    }
}
