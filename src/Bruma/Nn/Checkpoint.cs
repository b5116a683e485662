using static TorchSharp.torch;

namespace Bruma.Nn;

/// <summary>Gradient checkpointing: intermediate results of a piece are thrown away and computed again for its gradients. Less memory for about a third more time.</summary>
/// <remarks>Chen et al. 2016, arXiv:1604.06174. A tensor that a piece uses twice is passed twice, so that its gradients are summed in the same order, and to the same bits, as without.</remarks>
public static class Checkpoint
{
    [ThreadStatic]
    private static bool _isRunning;

    /// <summary>Whether a piece is computed without recording gradients that will be asked for: it must take the same way as later, when they are.</summary>
    internal static bool IsRunning => _isRunning;

    /// <param name="body">The piece: a function of the inputs; its parameters may be captured.</param>
    /// <param name="random">The generator that the piece draws from; it draws the same again. Null for none.</param>
    /// <param name="inputs">Its tensors, in the order in which their gradients come in without checkpointing; null for a missing one.</param>
    public static Tensor Run(Func<IReadOnlyList<Tensor?>, Tensor> body, Generator? random, params Tensor?[] inputs)
    {
        if (!is_grad_enabled())
            return body(inputs);
        return CheckpointFunction.apply([body, random!, .. inputs]);
    }

    private sealed class CheckpointFunction : autograd.SingleTensorFunction<CheckpointFunction>
    {
        private const string Body = "body";
        private const string Random = "random";
        private const string Present = "present";
        private const int FirstInput = 2;

        public override string Name => nameof(Checkpoint);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (body, random) = ((Func<IReadOnlyList<Tensor?>, Tensor>)vars[0], (Generator?)vars[1]);
            var inputs = vars[FirstInput..].Cast<Tensor?>().ToList();
            var saved = inputs.OfType<Tensor>().ToList();
            if (random is not null)
                saved.Add(random.get_state());
            ctx.save_data(Body, body);
            ctx.save_data(Random, random!);
            ctx.save_data(Present, inputs.Select(input => input is not null).ToArray());
            ctx.save_for_backward(saved);
            var outer = _isRunning;
            _isRunning = true;
            try
            {
                return body(inputs);
            }
            finally
            {
                _isRunning = outer;
            }
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var scope = NewDisposeScope();
            using var gradients = enable_grad();
            var (body, random, present) = ((Func<IReadOnlyList<Tensor?>, Tensor>)ctx.get_data(Body), (Generator?)ctx.get_data(Random), (bool[])ctx.get_data(Present));
            var saved = new Queue<Tensor>(ctx.get_saved_variables());
            var slots = present.Select(_ => new Slot()).ToArray();
            var inputs = present.Select((isPresent, i) => isPresent ? Leaf(saved.Dequeue(), slots[i]) : null).ToList();

            var later = random?.get_state();
            random?.set_state(saved.Dequeue());
            var output = body(inputs);
            if (later is not null)
                random!.set_state(later);
            output.backward([grad_output]);
            grad_output.Dispose(); // made for this call alone
            return HandedOver.Keep([null, null, .. slots.Select(slot => slot.Gradient)]);
        }

        private static Tensor Leaf(Tensor saved, Slot slot) => saved.requires_grad ? Tap.apply(saved.detach().requires_grad_(true), slot) : saved.detach();
    }

    private sealed class Slot
    {
        public Tensor? Gradient { get; set; }
    }

    /// <summary>Catches a gradient as it comes: that of a leaf would be laid out anew, and a sum over it could differ in the last bit.</summary>
    private sealed class Tap : autograd.SingleTensorFunction<Tap>
    {
        public override string Name => nameof(Tap);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            ctx.save_data(nameof(Slot), vars[1]);
            return ((Tensor)vars[0]).alias();
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            ((Slot)ctx.get_data(nameof(Slot))).Gradient = grad_output.DetachFromDisposeScope();
            return [null!, null!];
        }
    }
}

/// <summary>Gradients on their way from a backward function to native code, which takes its own references at once: they are let go with the next ones.</summary>
internal static class HandedOver
{
    [ThreadStatic]
    private static List<Tensor?>? _last;

    /// <returns>The same gradients, outside of any scope.</returns>
    public static List<Tensor> Keep(List<Tensor?> gradients)
    {
        foreach (var old in _last ?? [])
            old?.Dispose();
        foreach (var gradient in gradients)
            gradient?.DetachFromDisposeScope();
        _last = gradients;
        return gradients!;
    }
}

/// <summary>A module that can compute its intermediate results again for the gradients instead of keeping them.</summary>
public interface ICheckpointed
{
    bool IsCheckpointed { get; set; }
}
