using Bruma.Cli;

Native.WaitAsleep();
return await BrumaCommand.Run(args);
