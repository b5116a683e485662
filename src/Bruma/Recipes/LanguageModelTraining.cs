using System.Text;
using Bruma.Data;
using Bruma.Hub;
using Bruma.Nn;
using Bruma.Reports;
using Bruma.Text;
using Bruma.Training;
using Bruma.Transformers;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>A GPT-2 trained from scratch on a text, with its own tokenizer; the result is a folder of transformers' layout.</summary>
public sealed class LanguageModelTraining : TextTraining<TokenWindow>
{
    private readonly TokenizedCorpus _corpus;
    private readonly Gpt2LmHeadModel _network;

    private LanguageModelTraining(RunFolder run, LanguageModelOptions options, TokenizedCorpus corpus, Gpt2LmHeadModel network)
        : base(run, options.Run, network, (batch, _) => SequenceLoss.Next(network.call(batch.Ids, default), batch.Ids), new AdamWOptions(options.Run.LearningRate, Beta2: 0.95, WeightDecay: options.Run.WeightDecay)) =>
        (Options, _corpus, _network) = (options, corpus, network);

    public LanguageModelOptions Options { get; }

    public override string Rate => FormattableString.Invariant($"{(SecondsPerStep == 0 ? 0 : Options.Run.BatchSize * Options.Context / SecondsPerStep):0} tokens/s");

    public override IEnumerable<string> Introduction =>
    [
        FormattableString.Invariant($"{Options.Data}: {_corpus.Characters / 1e6:0.00} M characters, {_corpus.Training.Length / 1e6:0.000} M tokens to learn and {_corpus.HeldOut.Length / 1e6:0.000} M held out, {_corpus.CharactersPerToken:0.00} characters a token"),
        FormattableString.Invariant($"{Trainer.Parameters.Count / 1e6:0.00} M parameters, {Options.Layers} layers of width {Options.Width}, context {Options.Context}, batch {Options.Run.BatchSize}, {Options.Run.Precision}, seed {Options.Run.Seed}, {Options.Run.Steps} steps into {Folder}"),
    ];

    /// <summary>Begins a run.</summary>
    /// <exception cref="BrumaException">Text or folder are not usable; nothing is written then.</exception>
    public static LanguageModelTraining Start(string folder, LanguageModelOptions options)
    {
        options.Checked();
        RunFolder.CheckNew(folder);
        options = options with { Data = File.Exists(options.Data) || Directory.Exists(options.Data) ? Path.GetFullPath(options.Data) : options.Data, Tokenizer = options.Tokenizer is null ? null : Path.GetFullPath(options.Tokenizer) };
        var text = TextCorpus.Read(options.Data);
        var trained = options.Tokenizer is null ? TokenizerTraining.Train([(text, 1)], new TokenizerTrainingOptions(options.VocabSize, MaxLength: options.Context)) : null;
        var tokenizer = trained?.Create() ?? Tokenizer.Load(options.Tokenizer!);
        var corpus = TokenizedCorpus.Of(text, tokenizer, options);
        var run = RunFolder.Create(folder, options.ToJson());
        if (trained is not null)
            trained.Save(TokenizerFolder(run));
        else
            CopyTokenizer(options.Tokenizer!, TokenizerFolder(run));
        run.WriteProvenance(options.Run.Precision, corpus.Sha256);
        return Create(run, options, corpus);
    }

    /// <summary>Goes on with a run from its newest checkpoint, or from the start when there is none yet.</summary>
    /// <exception cref="BrumaException">The text is no longer the one that the run began with.</exception>
    public static LanguageModelTraining Resume(string folder)
    {
        var run = RunFolder.Open(folder);
        var options = TextRunJson.Read(run.Config, TextRunJson.Default.LanguageModelOptions).Checked();
        var corpus = TokenizedCorpus.Of(TextCorpus.Read(options.Data), Tokenizer.Load(TokenizerFolder(run)), options);
        Provenance.RequireSameData(run.Root, options.Data, corpus.Sha256);
        var training = Create(run, options, corpus);
        training.Restore();
        return training;
    }

    public override IEnumerable<string> Finish()
    {
        CopyTokenizer(TokenizerFolder(Files), Files.Model);
        Evaluated(() => Written());
        yield return $"model: {Files.Model} (bruma complete {Folder} \"...\")";
        var (loss, bits) = Evaluated(HeldOutLoss);
        var summary = FormattableString.Invariant($"held-out text: loss {loss:0.000} a token, perplexity {Math.Exp(loss):0.0}, {bits:0.000} bits a character");
        yield return summary;
        LossPlot.Write(Path.Combine(Folder, "loss.png"), Files.ReadStats());
        var samples = Evaluated(() => Samples(Options.Run.Steps));
        AtomicFile.WriteText(Path.Combine(Folder, "report.html"), new HtmlReport($"Language model of {Path.GetFileName(Options.Data)}")
            .Paragraph(summary).Paragraph(string.Join("; ", Introduction))
            .Heading("What it writes").Preformatted(samples)
            .Heading("Loss").Picture("loss.png", "Loss and learning rate over steps.", smooth: true)
            .Heading("Settings").Preformatted(Options.ToJson()).ToString());
        yield return $"report: {Path.Combine(Folder, "report.html")}";
    }

    protected override IEnumerable<TokenWindow> Batches(long first) => new TokenWindows(_corpus.Training, (Options.Run.BatchSize, Options.Context), Options.Run.Seed).From(first);

    protected override IReadOnlyList<KeyValuePair<string, double>> Sample(long step)
    {
        AtomicFile.WriteText(Path.Combine(Folder, "samples", $"step-{step:D7}.txt"), Samples(step));
        var (loss, bits) = HeldOutLoss();
        return [new("held_out_loss", loss), new("bits_per_character", bits)];
    }

    private static LanguageModelTraining Create(RunFolder run, LanguageModelOptions options, TokenizedCorpus corpus)
    {
        var network = new Gpt2LmHeadModel(options.Network(corpus.Tokenizer.VocabularySize));
        using var start = HashedSeed.At(options.Run.Seed, 0);
        network.Reset(start);
        return new LanguageModelTraining(run, options, corpus, network);
    }

    private bool Written()
    {
        _network.Save(Files.Model, _corpus.EndId);
        return true;
    }

    private string Samples(long step)
    {
        var text = new StringBuilder();
        using var generator = new TextGenerator(_network, _corpus.Tokenizer, [_corpus.EndId], keepsModel: true);
        foreach (var (prompt, i) in (Options.Prompts ?? ["", _corpus.FirstWords]).Select((prompt, i) => (prompt, i)))
        {
            using var random = HashedSeed.At(Options.Run.Seed, 5, i);
            var options = new GenerationOptions(Options.SampleTokens, DoSample: true, Temperature: 0.8, TopK: 40);
            text.Append(FormattableString.Invariant($"step {step}, prompt \"{prompt}\"\n")).Append(prompt).Append(generator.Write(prompt, options, random: random)[0].Text).Append("\n\n");
        }
        return text.ToString();
    }

    private (double Loss, double BitsPerCharacter) HeldOutLoss()
    {
        var (sum, count) = (0.0, 0L);
        foreach (var batch in new TokenWindows(_corpus.HeldOut, (Options.Run.BatchSize, Math.Min(Options.Context, _corpus.HeldOut.Length)), 0).InOrder().Take(20))
            using (batch)
            using (NewDisposeScope())
            {
                sum += SequenceLoss.Next(_network.call(batch.Ids, default), batch.Ids).item<float>() * batch.Ids.shape[0];
                count += batch.Ids.shape[0];
            }
        return (sum / count, sum / count / Math.Log(2) / _corpus.CharactersPerToken);
    }

    private static string TokenizerFolder(RunFolder run) => Path.Combine(run.Root, "tokenizer");

    private static void CopyTokenizer(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in new[] { "tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt" }.Where(file => File.Exists(Path.Combine(from, file))))
            File.Copy(Path.Combine(from, file), Path.Combine(to, file), overwrite: true);
    }
}
