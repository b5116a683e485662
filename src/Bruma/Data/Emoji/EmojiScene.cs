namespace Bruma.Data.Emoji;

/// <summary>What a training picture is made of.</summary>
public enum SceneKind
{
    Plain,
    Recoloured,
    OnGround,
    Several,
    Pair,
    Resized,
    Toned,
}

/// <summary>How the second of a pair lies to the first.</summary>
public enum SceneRelation
{
    Beside,
    LeftOf,
    RightOf,
    Above,
    Below,
}

/// <summary>A training picture: enough to paint it and to say in many ways what it shows.</summary>
/// <param name="Picture">Index in the data set; of toned pictures for <see cref="SceneKind.Toned"/>.</param>
/// <param name="Other">The second picture of a pair.</param>
/// <param name="Colour">Index in the named colours; of the ground for <see cref="SceneKind.OnGround"/>; the picture's own dominant colour for a plain one; -1 for none.</param>
/// <param name="Number">How many, 2 to 4; percent of the size for <see cref="SceneKind.Resized"/>; the skin tone, 1 to 5, for <see cref="SceneKind.Toned"/>.</param>
/// <param name="Mirror">Left and right swapped.</param>
public sealed record EmojiScene(SceneKind Kind, int Picture, int Other = -1, int Colour = -1, int Number = 1, SceneRelation Relation = SceneRelation.Beside, bool Mirror = false);
