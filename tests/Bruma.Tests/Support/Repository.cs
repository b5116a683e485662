namespace Bruma.Tests.Support;

/// <summary>Where things lie in the checkout that these tests were built from.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    public static string Goldens => Path.Combine(Root, "tests", "goldens");

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Bruma.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("the tests must run inside a checkout");
    }
}
