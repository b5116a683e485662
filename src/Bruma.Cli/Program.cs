using Bruma.Cli;

return await BrumaCommand.Run(args);
