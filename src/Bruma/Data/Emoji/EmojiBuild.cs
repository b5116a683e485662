using Bruma.Hub;
using static TorchSharp.torch;

namespace Bruma.Data.Emoji;

/// <param name="Packages">Styles to build.</param>
/// <param name="Modules">A folder <c>node_modules</c>; null lets npm install the packages.</param>
/// <param name="MostConcepts">Only the first of them, for a quick try; 0 for all.</param>
/// <param name="WithTones">Also the pictures with skin tones.</param>
public sealed record EmojiBuildOptions(IReadOnlyList<EmojiPackage> Packages, string? Modules = null, int MostConcepts = 0, bool WithTones = true);

/// <summary>Builds the data set from npm packages: pictures of 128 px with transparency, names in two languages, sources and hashes.</summary>
public static class EmojiBuild
{
    /// <param name="folder">Where the data set goes; what npm installs goes into its folder <c>packages</c>.</param>
    /// <param name="progress">Told how many of how many pictures are drawn.</param>
    /// <exception cref="BrumaException">A program or a package is missing, or the folder cannot be written.</exception>
    public static EmojiDataset Run(string folder, EmojiBuildOptions options, Action<int, int>? progress = null, CancellationToken cancellation = default)
    {
        var drawnBy = EmojiRaster.Version();
        var modules = options.Modules ?? NpmPackages.Install(Path.Combine(folder, "packages"), [.. options.Packages, EmojiPackages.Names]);
        var sources = options.Packages.Append(EmojiPackages.Names).Select(package => EmojiSource.Of(modules, package)).ToList();
        var catalog = EmojiCatalog.Read(modules);
        var found = Pictures(catalog, modules, options);
        var plain = found.Where(entry => entry.Picture.Tone == 0).ToList();
        var toned = options.WithTones ? found.Where(entry => entry.Picture.Tone > 0).ToList() : [];
        var drawn = 0;
        void Progress(int more) => progress?.Invoke(Interlocked.Add(ref drawn, more), plain.Count + toned.Count);

        var skipped = new List<string>();
        var keptPlain = WriteDrawn(Path.Combine(folder, EmojiFiles.Pictures), plain, skipped, Progress, cancellation);
        var keptToned = WriteDrawn(Path.Combine(folder, EmojiFiles.Tones), toned, skipped, Progress, cancellation);
        IReadOnlyList<EmojiConcept> concepts = options.MostConcepts > 0 ? [.. catalog.Concepts.Take(options.MostConcepts)] : catalog.Concepts;
        EmojiFiles.Write(folder, new EmojiIndex(drawnBy, sources, [.. options.Packages.Select(package => package.Style)], concepts, keptPlain, keptToned, skipped, catalog.Texts));
        return EmojiDataset.Open(folder);
    }

    /// <summary>Whether the folder holds this data set already, from packages of these versions.</summary>
    public static bool IsBuilt(string folder, EmojiBuildOptions options)
    {
        if (options.MostConcepts > 0 || !EmojiFiles.Exist(folder))
            return false;
        var sources = EmojiFiles.Read(folder).Index.Sources.Select(source => (source.Package, source.Version));
        return sources.SequenceEqual(options.Packages.Append(EmojiPackages.Names).Select(package => (package.Package, package.Version)));
    }

    /// <summary>Every picture that the packages have, by style, in the order of the concepts.</summary>
    private static List<(EmojiPicture Picture, IconDrawing Drawing)> Pictures(EmojiCatalog catalog, string modules, EmojiBuildOptions options)
    {
        var sets = options.Packages.Select(package => IconSet.Read(modules, package)).ToList();
        var known = sets.SelectMany(set => set.Known).DistinctBy(entry => entry.Key).ToDictionary(StringComparer.Ordinal);
        var last = options.MostConcepts > 0 ? options.MostConcepts : catalog.Concepts.Count;
        return [.. sets.SelectMany((set, style) => set.Map(catalog, known)
            .Select(entry => (Place: catalog.Find(entry.Key)!.Value, entry.Value))
            .Where(entry => entry.Place.IsUsed && entry.Place.Concept < last)
            .OrderBy(entry => (entry.Place.Concept, entry.Place.Tone))
            .Select(entry => (new EmojiPicture(style, entry.Place.Concept, entry.Place.Tone), entry.Value)))];
    }

    /// <summary>Draws on all processors and writes one tensor; what cannot be drawn is named and left out.</summary>
    private static List<EmojiPicture> WriteDrawn(string file, List<(EmojiPicture Picture, IconDrawing Drawing)> found, List<string> skipped, Action<int> progress, CancellationToken cancellation)
    {
        const int Size = EmojiRaster.Size;
        using var scope = NewDisposeScope();
        var pixels = empty([found.Count, 4, Size, Size], uint8);
        var errors = new string?[found.Count];
        var sheets = Enumerable.Range(0, found.Count).Chunk(EmojiRaster.SheetDrawings);
        Parallel.ForEachAsync(sheets, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, async (sheet, _) =>
        {
            using var rows = pixels.narrow(0, sheet[0], sheet.Length).DetachFromDisposeScope();
            await EmojiRaster.Draw([.. sheet.Select(i => found[i].Drawing)], rows, (place, reason) => errors[sheet[place]] = reason);
            progress(sheet.Length);
        }).GetAwaiter().GetResult();
        skipped.AddRange(errors.OfType<string>());
        var kept = Enumerable.Range(0, found.Count).Where(i => errors[i] is null).ToList();
        if (kept.Count < found.Count)
            pixels = pixels.index_select(0, tensor(kept.Select(i => (long)i).ToArray()));
        SafetensorsFile.Write(file, [new("rgba", pixels)]);
        return [.. kept.Select(i => found[i].Picture)];
    }
}
