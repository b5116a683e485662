using static TorchSharp.torch;

namespace Bruma.StableDiffusion;

/// <summary>Ways through the space of start noise that keep its length, so that every point on them is as likely as any noise.</summary>
public static class LatentPaths
{
    /// <summary>Along the great circle between two noises (Shoemake 1985).</summary>
    /// <param name="share">0 gives the first, 1 the second.</param>
    public static Tensor Between(Tensor from, Tensor to, double share)
    {
        using var scope = NewDisposeScope();
        var cosine = ((from * to).sum() / (from.norm() * to.norm())).clamp(-1, 1).item<float>();
        var angle = Math.Acos(cosine);
        var mixed = angle < 1e-3 ? from * (1 - share) + to * share : from * (Math.Sin((1 - share) * angle) / Math.Sin(angle)) + to * (Math.Sin(share * angle) / Math.Sin(angle));
        return mixed.MoveToOuterDisposeScope();
    }

    /// <summary>A closed circle at a distance around a noise.</summary>
    /// <param name="directions">Two further noises that span the circle.</param>
    /// <param name="distance">0 stays, 1 goes as far as unrelated noise is.</param>
    /// <param name="turn">Place on the circle, 0 to 1.</param>
    public static Tensor Around(Tensor centre, (Tensor First, Tensor Second) directions, double distance, double turn)
    {
        using var scope = NewDisposeScope();
        var angle = distance * Math.PI / 2;
        var away = directions.First * Math.Cos(2 * Math.PI * turn) + directions.Second * Math.Sin(2 * Math.PI * turn);
        return (centre * Math.Cos(angle) + away * Math.Sin(angle)).MoveToOuterDisposeScope();
    }
}
