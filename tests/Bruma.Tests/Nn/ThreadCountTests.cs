using Bruma.Nn;
using static TorchSharp.torch;

namespace Bruma.Tests.Nn;

/// <summary>
/// What must not depend on the number of threads. The number is the whole process's: changed beside other tests, it would change their sums' last bits
/// (a thread that is new takes the number of that moment for good), so these tests run alone.
/// </summary>
[CollectionDefinition(nameof(ThreadCountTests), DisableParallelization = true)]
[Collection(nameof(ThreadCountTests))]
public sealed class ThreadCountTests
{
    [Fact]
    public void Attention()
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var (q, k, v) = (randn(1, 1200, 32), randn(1, 1200, 32), randn(1, 1200, 32));
        var (one, two) = WithOneAndTwo(() => new[] { AttentionProduct.Attend(q, k, v, 2) });
        Assert.True(one[0].allclose(two[0], rtol: 0, atol: 1e-6));
    }

    [Fact]
    public void Activated_group_norm_and_its_gradients()
    {
        using var scope = NewDisposeScope();
        using var norm = new ActivatedGroupNorm(2, 8, 1e-5);
        var (x, dy) = (randn(6, 8, 12, 12), randn(6, 8, 12, 12));
        var (one, two) = WithOneAndTwo(() =>
        {
            norm.zero_grad();
            var input = x.clone().requires_grad_(true);
            var y = norm.call(input, null);
            y.backward([dy]);
            return [y.detach(), input.grad!, .. norm.parameters().Select(parameter => parameter.grad!.clone())];
        });
        Assert.All(one.Zip(two), pair => Assert.True(pair.First.eq(pair.Second).all().item<bool>()));
    }

    private static (Tensor[] One, Tensor[] Two) WithOneAndTwo(Func<Tensor[]> work)
    {
        var before = get_num_threads();
        try
        {
            set_num_threads(1);
            var one = work();
            set_num_threads(2);
            return (one, work());
        }
        finally
        {
            set_num_threads(before);
        }
    }
}
