namespace Bruma.Data.Emoji;

/// <summary>A package of emoji pictures in one style.</summary>
/// <param name="Package">Its name in the npm registry.</param>
/// <param name="Version">The version that the recipe was measured with.</param>
/// <param name="Style">What prompts call the style.</param>
/// <param name="Licence">SPDX name of the licence of the pictures.</param>
/// <param name="Authors">Who is owed attribution.</param>
/// <param name="Origin">Where the authors publish.</param>
public sealed record EmojiPackage(string Package, string Version, string Style, string Licence, string Authors, string Origin);

/// <summary>The npm packages of the emoji data set, with pinned versions.</summary>
public static class EmojiPackages
{
    /// <summary>The styles that the model is trained on, in the order of the data set.</summary>
    public static readonly IReadOnlyList<EmojiPackage> Trained =
    [
        new("@iconify-json/noto", "1.2.9", "noto", "Apache-2.0", "Google, Noto Emoji", "https://github.com/googlefonts/noto-emoji"),
        new("@iconify-json/noto-v1", "1.2.5", "blob", "Apache-2.0", "Google, Noto Emoji before 2017", "https://github.com/googlefonts/noto-emoji"),
        new("@iconify-json/twemoji", "1.2.5", "twemoji", "CC-BY-4.0", "Twitter and the jdecked contributors, Twemoji", "https://github.com/jdecked/twemoji"),
        new("@iconify-json/fluent-emoji", "1.2.7", "fluent", "MIT", "Microsoft, Fluent Emoji", "https://github.com/microsoft/fluentui-emoji"),
        new("@iconify-json/fluent-emoji-flat", "1.2.6", "flat", "MIT", "Microsoft, Fluent Emoji", "https://github.com/microsoft/fluentui-emoji"),
        new("@lobehub/fluent-emoji-3d", "1.1.0", "3d", "MIT", "Microsoft, Fluent Emoji; packed by LobeHub", "https://github.com/microsoft/fluentui-emoji"),
        new("@iconify-json/fxemoji", "1.2.2", "firefox", "CC-BY-4.0", "Mozilla, FxEmojis (the design; its code is Apache-2.0)", "https://github.com/mozilla/fxemoji"),
        new("@iconify-json/emojione", "1.2.3", "emojione", "CC-BY-4.0", "EmojiOne, EmojiOne 2", "https://github.com/EmojiTwo/emojitwo"),
    ];

    /// <summary>The style that no training run sees: for adapters that learn a new style.</summary>
    public static readonly EmojiPackage Unseen =
        new("@iconify-json/openmoji", "1.2.29", "openmoji", "CC-BY-SA-4.0", "HfG Schwäbisch Gmünd and contributors, OpenMoji", "https://openmoji.org");

    /// <summary>English and Spanish names and tags.</summary>
    public static readonly EmojiPackage Names =
        new("emojibase-data", "17.0.0", "", "MIT", "Miles Johnson, Emojibase; names from Unicode CLDR", "https://emojibase.dev");

    /// <summary>The names of the styles, in the order of the data set.</summary>
    public static IReadOnlyList<string> Styles { get; } = [.. Trained.Select(package => package.Style)];
}
