namespace Bruma.Cli;

/// <summary>Work whose drawn pictures outlive it: when it is broken off, the same command goes on with them.</summary>
internal sealed class KeptPictures(Exception cause) : OperationCanceledException("interrupted; the pictures drawn so far are kept, and the same command goes on.", cause)
{
    public static T While<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (OperationCanceledException e)
        {
            throw new KeptPictures(e);
        }
    }
}
