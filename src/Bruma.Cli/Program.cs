using Bruma.Cli;

Native.PrepareLoading();
return await BrumaCommand.Run(args);
