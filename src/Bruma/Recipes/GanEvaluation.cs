using Bruma.Data;
using Bruma.Gans;
using Bruma.Hub;
using Bruma.Imaging;
using static TorchSharp.torch;

namespace Bruma.Recipes;

/// <summary>The measurements of a run, kept in <c>evaluations.jsonl</c>.</summary>
public sealed class GanEvaluation : IDisposable
{
    private const long SeedOffset = 1_000_000; // other noise than the sheets'

    private readonly string _file;
    private readonly long _seed;
    private readonly Lazy<SampleJudge> _judge;
    private List<SampleMeasures> _rows;

    public GanEvaluation(string folder, TrainingImages images, GanOptions options)
    {
        _file = Path.Combine(folder, "evaluations.jsonl");
        _seed = options.Seed + SeedOffset;
        _judge = new Lazy<SampleJudge>(() => new SampleJudge(options.Data, images, options.EvaluateSamples));
        _rows = File.Exists(_file) ? [.. File.ReadLines(_file).Select(SampleMeasures.Parse).OfType<SampleMeasures>()] : [];
    }

    public IReadOnlyList<SampleMeasures> Rows => _rows;

    /// <summary>The last measurement, for people.</summary>
    public string Summary => _rows.Count == 0 ? "not measured" : FormattableString.Invariant(
        $"FD-{_rows[^1].Network} {_rows[^1].Frechet:0.00} (real against real {_rows[^1].Floor:0.00}), KID x 1000 {1000 * _rows[^1].Kernel:0.0}, precision {_rows[^1].Precision:0.00}, recall {_rows[^1].Recall:0.00}, density {_rows[^1].Density:0.00}, coverage {_rows[^1].Coverage:0.00} at {_rows[^1].Count} samples");

    /// <summary>Forgets what lies beyond a step that a run goes on from.</summary>
    public void CutAfter(long step)
    {
        _rows = [.. _rows.Where(row => row.Step <= step)];
        Write();
    }

    public SampleMeasures Measure(GanPipeline pipeline, long step)
    {
        using var scope = NewDisposeScope();
        var judge = _judge.Value;
        var measures = judge.Measure(ImageTensor.ToBytes(pipeline.Generate(new GanRequest(judge.Count, _seed))), step);
        _rows = [.. _rows.Where(row => row.Step < step), measures];
        Write();
        return measures;
    }

    public void Dispose()
    {
        if (_judge.IsValueCreated)
            _judge.Value.Dispose();
    }

    private void Write()
    {
        if (_rows.Count > 0 || File.Exists(_file))
            AtomicFile.WriteText(_file, string.Concat(_rows.Select(row => row.ToJson() + "\n")));
    }
}
