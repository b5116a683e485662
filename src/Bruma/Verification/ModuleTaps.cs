using Bruma.Diffusion;
using Bruma.StableDiffusion;
using Bruma.Transformers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Verification;

/// <summary>Listens to what submodules give.</summary>
internal static class ModuleTaps
{
    /// <summary>What names of taps begin with, before the dotted key of the submodule.</summary>
    public const string Prefix = "tap.";

    /// <summary>Attaches hooks; the result fills, in the order of computation, when the network is called. Its tensors belong to the caller.</summary>
    /// <param name="names">For example <c>tap.down_blocks.0</c>.</param>
    /// <exception cref="UnknownCaseException">There is no such submodule, or none whose output can be read.</exception>
    public static IReadOnlyDictionary<string, Tensor> Attach(Module network, IReadOnlyCollection<string> names)
    {
        var values = new OrderedDictionary<string, Tensor>();
        var modules = network.named_modules().ToDictionary(named => named.name, named => named.module, StringComparer.Ordinal);
        foreach (var name in names)
            if (!modules.TryGetValue(name[Prefix.Length..], out var module) || !Listen(module, output => values[name] = output))
                throw new UnknownCaseException($"submodule {name[Prefix.Length..]}");
        return values;
    }

    private static bool Listen(Module module, Action<Tensor> heard)
    {
        Tensor Keep(Tensor output)
        {
            heard(output.detach().clone().DetachFromDisposeScope());
            return output;
        }
        switch (module)
        {
            case Module<Tensor, Tensor> one:
                one.register_forward_hook((_, _, output) => Keep(output));
                return true;
            case Module<Tensor, Tensor?, Tensor> two:
                two.register_forward_hook((_, _, _, output) => Keep(output));
                return true;
            case Module<Tensor, Tensor, DownResult> down:
                down.register_forward_hook((_, _, _, output) =>
                {
                    Keep(output.Output);
                    return output;
                });
                return true;
            case Module<CrossInput, DownResult> down:
                down.register_forward_hook((_, _, output) =>
                {
                    Keep(output.Output);
                    return output;
                });
                return true;
            case Module<CrossInput, Tensor> mid:
                mid.register_forward_hook((_, _, output) => Keep(output));
                return true;
            case Module<CrossUpInput, Tensor> up:
                up.register_forward_hook((_, _, output) => Keep(output));
                return true;
            case Module<UpInput, Tensor> up:
                up.register_forward_hook((_, _, output) => Keep(output));
                return true;
            case Module<Tensor, AttentionCall, AttentionResult> attention:
                attention.register_forward_hook((_, _, _, output) =>
                {
                    Keep(output.Hidden);
                    return output;
                });
                return true;
            case Module<Tensor, TextPass, Tensor> text:
                text.register_forward_hook((_, _, _, output) => Keep(output));
                return true;
            case Module<Tensor, TextPass, TransformerOutput> text:
                text.register_forward_hook((_, _, _, output) =>
                {
                    Keep(output.LastHiddenState);
                    return output;
                });
                return true;
            case T5Block block:
                block.register_forward_hook((_, _, _, output) =>
                {
                    Keep(output.Hidden);
                    return output;
                });
                return true;
            case TransformerDecoderLayer layer:
                layer.register_forward_hook((_, _, _, output) =>
                {
                    Keep(output.Hidden);
                    return output;
                });
                return true;
            case ResnetBlock block:
                block.register_forward_hook((_, _, _, _, output) => Keep(output));
                return true;
            default:
                return false;
        }
    }
}
