using Bruma.Hub;
using Bruma.Tests.Support;
using static TorchSharp.torch;

namespace Bruma.Tests.Hub;

public sealed class TorchPickleFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Views_of_one_storage_come_out_as_the_tensors_they_show(bool zip)
    {
        using var scope = NewDisposeScope();
        using var file = CheckpointFile.Open(Saved(PickleWriter.Views(), zip));
        var numbers = arange(12, float32).view(4, 3);

        Assert.Equal(["column", "nested.expanded", "plain", "transposed"], file.Tensors.Keys.Order(StringComparer.Ordinal));
        AssertEqual(numbers, file.Read("plain"));
        AssertEqual(numbers.t(), file.Read("transposed"));
        AssertEqual(numbers[.., 1], file.Read("column"));
        AssertEqual(full([2, 3], 5, float32), file.Read("nested.expanded"));
        Assert.Equal(bfloat16, file.Read("column", bfloat16).dtype);
    }

    [Theory]
    [InlineData("posix", "system")]
    [InlineData("subprocess", "Popen")]
    [InlineData("builtins", "eval")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("torch.hub", "load")]
    [InlineData("numpy.testing._private.utils", "runstring")]
    public void A_call_that_tensors_do_not_need_is_refused_by_name(string module, string name)
    {
        var pickle = new PickleWriter().Op("\u0080\u0002}").Text("w").Tensor(0, [4], [1]).Op("s").Text("x").Global(module, name).Text("touch pwned").Op("\u0085Rs.");
        var error = Assert.Throws<BrumaException>(() => CheckpointFile.Open(Saved(pickle)));
        Assert.Contains($"{module}.{name}", error.Message, StringComparison.Ordinal);
        Assert.Contains("model.bin", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_object_of_a_training_library_beside_the_tensors_is_skipped()
    {
        var pickle = new PickleWriter().Op("\u0080\u0002}(").Text("w").Tensor(0, [4], [1])
            .Global("pytorch_lightning.callbacks", "ModelCheckpoint").Op("K\u0001") // a class as a key
            .Text("callback").Global("pytorch_lightning.callbacks", "EMA").Op(")\u0081}").Text("decay").Op("K\u0001sb")
            .Op("u.");
        using var file = CheckpointFile.Open(Saved(pickle));
        Assert.Equal(["w"], file.Tensors.Keys);
    }

    [Theory]
    [InlineData(0, 13, 1)] // behind the end
    [InlineData(10, 3, 1)]
    [InlineData(-1, 3, 1)]
    [InlineData(0, 3, -1)]
    [InlineData(0, -3, 1)]
    [InlineData(0, 7, 2)]
    [InlineData(0, int.MaxValue, 0)] // 8 GB of one number
    public void A_tensor_outside_its_storage_is_refused(int offset, int size, int stride) =>
        Assert.Throws<BrumaException>(() => CheckpointFile.Open(Saved(new PickleWriter().Op("\u0080\u0002}").Text("w").Tensor(offset, [size], [stride]).Op("s."))));

    [Fact]
    public void A_storage_of_another_length_than_announced_is_refused() =>
        Assert.Throws<BrumaException>(() => CheckpointFile.Open(Saved(new PickleWriter().Op("\u0080\u0002}").Text("w").Tensor(0, [4], [1], count: 13).Op("s."))));

    [Fact]
    public void References_to_references_cost_no_more_than_their_pickle()
    {
        // every list holds the one before ten times: 10^40 paths, then a list that holds itself, then one good tensor
        var pickle = new PickleWriter().Op("\u0080\u0002}(").Text("bomb").Op("]q\u0000");
        for (var level = 1; level <= 40; level++)
            pickle.Op("](" + string.Concat(Enumerable.Repeat($"h{(char)(level - 1)}", 10)) + $"eq{(char)level}");
        pickle.Op("K\u0000\u0087"); // keeps the lists from becoming keys
        var bytes = pickle.Bytes();
        Assert.True(bytes.Length < 2000);
        var error = Record.Exception(() => CheckpointFile.Open(Saved(pickle.Text("self").Op("]q\u00ffh\u00ffa").Text("w").Tensor(0, [4], [1]).Op("u."))).Dispose());
        Assert.True(error is null or BrumaException, error?.ToString());
    }

    [Fact]
    public void A_list_that_holds_itself_ends()
    {
        using var file = CheckpointFile.Open(Saved(new PickleWriter().Op("\u0080\u0002}(").Text("self").Op("]q\u0001h\u0001a").Text("w").Tensor(0, [4], [1]).Op("u.")));
        Assert.Equal(["w"], file.Tensors.Keys);
    }

    [Fact]
    public void Endless_nesting_is_refused()
    {
        var deep = new PickleWriter().Op("\u0080\u0002" + new string(']', 10_000) + new string('a', 9_999)).Op(".");
        Assert.Throws<BrumaException>(() => CheckpointFile.Open(Saved(deep)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_damaged_file_gives_tensors_or_one_sentence(bool zip)
    {
        var good = File.ReadAllBytes(Saved(PickleWriter.Views(), zip));
        HostileFiles.AssertTensorsOrSentence(good, _folder["damaged.bin"]);
    }

    private static void AssertEqual(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(expected.eq(actual).all().item<bool>());
    }

    private string Saved(PickleWriter pickle, bool zip = true)
    {
        var path = _folder["model.bin"];
        if (zip)
            pickle.SaveZip(path, PickleWriter.Numbers(12));
        else
            pickle.SaveLegacy(path, PickleWriter.Numbers(12));
        return path;
    }
}
