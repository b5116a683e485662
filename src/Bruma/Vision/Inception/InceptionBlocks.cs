using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Bruma.Vision.Inception;

/// <summary>Pooling as the TensorFlow network does it: averages leave the padding out.</summary>
internal static class InceptionPooling
{
    public static Tensor Average(Tensor x) => functional.avg_pool2d(x, 3, stride: 1, padding: 1, count_include_pad: false);

    public static Tensor Largest(Tensor x) => functional.max_pool2d(x, 3, stride: 1, padding: 1);

    public static Tensor Halve(Tensor x) => functional.max_pool2d(x, 3, stride: 2);
}

/// <summary>35x35: 1x1, 5x5 and double 3x3 branches beside a pooled one.</summary>
public sealed class InceptionA : Module<Tensor, Tensor>
{
    private readonly InceptionConv2d branch1x1;
    private readonly InceptionConv2d branch5x5_1;
    private readonly InceptionConv2d branch5x5_2;
    private readonly InceptionConv2d branch3x3dbl_1;
    private readonly InceptionConv2d branch3x3dbl_2;
    private readonly InceptionConv2d branch3x3dbl_3;
    private readonly InceptionConv2d branch_pool;

    public InceptionA(int inputs, int pooled) : base(nameof(InceptionA))
    {
        branch1x1 = new InceptionConv2d(inputs, 64, 1);
        branch5x5_1 = new InceptionConv2d(inputs, 48, 1);
        branch5x5_2 = new InceptionConv2d(48, 64, 5);
        branch3x3dbl_1 = new InceptionConv2d(inputs, 64, 1);
        branch3x3dbl_2 = new InceptionConv2d(64, 96, 3);
        branch3x3dbl_3 = new InceptionConv2d(96, 96, 3);
        branch_pool = new InceptionConv2d(inputs, pooled, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var five = branch5x5_2.call(branch5x5_1.call(x));
        var three = branch3x3dbl_3.call(branch3x3dbl_2.call(branch3x3dbl_1.call(x)));
        return cat([branch1x1.call(x), five, three, branch_pool.call(InceptionPooling.Average(x))], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>From 35x35 to 17x17.</summary>
public sealed class InceptionB : Module<Tensor, Tensor>
{
    private readonly InceptionConv2d branch3x3;
    private readonly InceptionConv2d branch3x3dbl_1;
    private readonly InceptionConv2d branch3x3dbl_2;
    private readonly InceptionConv2d branch3x3dbl_3;

    public InceptionB(int inputs) : base(nameof(InceptionB))
    {
        branch3x3 = new InceptionConv2d(inputs, 384, 3, stride: 2, isPadded: false);
        branch3x3dbl_1 = new InceptionConv2d(inputs, 64, 1);
        branch3x3dbl_2 = new InceptionConv2d(64, 96, 3);
        branch3x3dbl_3 = new InceptionConv2d(96, 96, 3, stride: 2, isPadded: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return cat([branch3x3.call(x), branch3x3dbl_3.call(branch3x3dbl_2.call(branch3x3dbl_1.call(x))), InceptionPooling.Halve(x)], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>17x17: 7x7 split into rows and columns.</summary>
public sealed class InceptionC : Module<Tensor, Tensor>
{
    private readonly InceptionConv2d branch1x1;
    private readonly InceptionConv2d branch7x7_1;
    private readonly InceptionConv2d branch7x7_2;
    private readonly InceptionConv2d branch7x7_3;
    private readonly InceptionConv2d branch7x7dbl_1;
    private readonly InceptionConv2d branch7x7dbl_2;
    private readonly InceptionConv2d branch7x7dbl_3;
    private readonly InceptionConv2d branch7x7dbl_4;
    private readonly InceptionConv2d branch7x7dbl_5;
    private readonly InceptionConv2d branch_pool;

    public InceptionC(int inputs, int narrow) : base(nameof(InceptionC))
    {
        branch1x1 = new InceptionConv2d(inputs, 192, 1);
        branch7x7_1 = new InceptionConv2d(inputs, narrow, 1);
        branch7x7_2 = new InceptionConv2d(narrow, narrow, (1, 7));
        branch7x7_3 = new InceptionConv2d(narrow, 192, (7, 1));
        branch7x7dbl_1 = new InceptionConv2d(inputs, narrow, 1);
        branch7x7dbl_2 = new InceptionConv2d(narrow, narrow, (7, 1));
        branch7x7dbl_3 = new InceptionConv2d(narrow, narrow, (1, 7));
        branch7x7dbl_4 = new InceptionConv2d(narrow, narrow, (7, 1));
        branch7x7dbl_5 = new InceptionConv2d(narrow, 192, (1, 7));
        branch_pool = new InceptionConv2d(inputs, 192, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var once = branch7x7_3.call(branch7x7_2.call(branch7x7_1.call(x)));
        var twice = branch7x7dbl_3.call(branch7x7dbl_2.call(branch7x7dbl_1.call(x)));
        twice = branch7x7dbl_5.call(branch7x7dbl_4.call(twice));
        return cat([branch1x1.call(x), once, twice, branch_pool.call(InceptionPooling.Average(x))], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>From 17x17 to 8x8.</summary>
public sealed class InceptionD : Module<Tensor, Tensor>
{
    private readonly InceptionConv2d branch3x3_1;
    private readonly InceptionConv2d branch3x3_2;
    private readonly InceptionConv2d branch7x7x3_1;
    private readonly InceptionConv2d branch7x7x3_2;
    private readonly InceptionConv2d branch7x7x3_3;
    private readonly InceptionConv2d branch7x7x3_4;

    public InceptionD(int inputs) : base(nameof(InceptionD))
    {
        branch3x3_1 = new InceptionConv2d(inputs, 192, 1);
        branch3x3_2 = new InceptionConv2d(192, 320, 3, stride: 2, isPadded: false);
        branch7x7x3_1 = new InceptionConv2d(inputs, 192, 1);
        branch7x7x3_2 = new InceptionConv2d(192, 192, (1, 7));
        branch7x7x3_3 = new InceptionConv2d(192, 192, (7, 1));
        branch7x7x3_4 = new InceptionConv2d(192, 192, 3, stride: 2, isPadded: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var three = branch3x3_2.call(branch3x3_1.call(x));
        var seven = branch7x7x3_4.call(branch7x7x3_3.call(branch7x7x3_2.call(branch7x7x3_1.call(x))));
        return cat([three, seven, InceptionPooling.Halve(x)], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>8x8: branches that end in rows and columns side by side.</summary>
public sealed class InceptionE : Module<Tensor, Tensor>
{
    private readonly InceptionConv2d branch1x1;
    private readonly InceptionConv2d branch3x3_1;
    private readonly InceptionConv2d branch3x3_2a;
    private readonly InceptionConv2d branch3x3_2b;
    private readonly InceptionConv2d branch3x3dbl_1;
    private readonly InceptionConv2d branch3x3dbl_2;
    private readonly InceptionConv2d branch3x3dbl_3a;
    private readonly InceptionConv2d branch3x3dbl_3b;
    private readonly InceptionConv2d branch_pool;
    private readonly bool _poolsLargest;

    /// <param name="poolsLargest">The last block of the TensorFlow network pools the maximum where the one before averages.</param>
    public InceptionE(int inputs, bool poolsLargest) : base(nameof(InceptionE))
    {
        branch1x1 = new InceptionConv2d(inputs, 320, 1);
        branch3x3_1 = new InceptionConv2d(inputs, 384, 1);
        branch3x3_2a = new InceptionConv2d(384, 384, (1, 3));
        branch3x3_2b = new InceptionConv2d(384, 384, (3, 1));
        branch3x3dbl_1 = new InceptionConv2d(inputs, 448, 1);
        branch3x3dbl_2 = new InceptionConv2d(448, 384, 3);
        branch3x3dbl_3a = new InceptionConv2d(384, 384, (1, 3));
        branch3x3dbl_3b = new InceptionConv2d(384, 384, (3, 1));
        branch_pool = new InceptionConv2d(inputs, 192, 1);
        _poolsLargest = poolsLargest;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var three = branch3x3_1.call(x);
        var twice = branch3x3dbl_2.call(branch3x3dbl_1.call(x));
        var pooled = branch_pool.call(_poolsLargest ? InceptionPooling.Largest(x) : InceptionPooling.Average(x));
        return cat([branch1x1.call(x), branch3x3_2a.call(three), branch3x3_2b.call(three), branch3x3dbl_3a.call(twice), branch3x3dbl_3b.call(twice), pooled], 1).MoveToOuterDisposeScope();
    }
}
