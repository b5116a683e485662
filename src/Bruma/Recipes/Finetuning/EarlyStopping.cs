using System.Globalization;
using Bruma.Hub;
using Bruma.Training;
using static TorchSharp.torch;

namespace Bruma.Recipes.Finetuning;

/// <summary>Keeps the best weights by a validation score and says when it has been better for too long.</summary>
/// <param name="patience">Looks without a better score before it stops; 0 never stops and keeps nothing.</param>
internal sealed class EarlyStopping(int patience) : IDisposable
{
    private const string FileName = "best.safetensors";

    private double _score = double.NegativeInfinity;
    private int _worse;

    /// <summary>fp32 [P]; null until the first look, and without patience.</summary>
    public Tensor? Best { get; private set; }

    public long? StoppedAt { get; private set; }

    public void Watch(long step, double score, FlatParameters parameters)
    {
        if (patience == 0)
            return;
        _worse = score > _score ? 0 : _worse + 1;
        if (_worse == 0)
        {
            _score = score;
            Best ??= parameters.NewBuffer();
            using var still = no_grad();
            Best.copy_(parameters.Master);
        }
        if (_worse >= patience)
            StoppedAt = step;
    }

    public void Save(string folder, FlatParameters parameters)
    {
        if (Best is null)
            return;
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(Path.Combine(folder, FileName), parameters.Named(Best), new Dictionary<string, string>
        {
            ["score"] = _score.ToString("R", CultureInfo.InvariantCulture),
            ["worse"] = _worse.ToString(CultureInfo.InvariantCulture),
            ["stopped_at"] = StoppedAt?.ToString(CultureInfo.InvariantCulture) ?? "",
        });
    }

    public void Restore(string folder, FlatParameters parameters)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return;
        using var scope = NewDisposeScope();
        using var still = no_grad();
        using var file = new SafetensorsFile(path);
        Best = parameters.NewBuffer();
        foreach (var (name, values) in parameters.Named(Best))
            values.copy_(file.Read(name));
        _score = double.Parse(file.Metadata["score"], CultureInfo.InvariantCulture);
        _worse = int.Parse(file.Metadata["worse"], CultureInfo.InvariantCulture);
        StoppedAt = file.Metadata["stopped_at"] is { Length: > 0 } stopped ? long.Parse(stopped, CultureInfo.InvariantCulture) : null;
    }

    public void Dispose() => Best?.Dispose();
}
