// Preloaded into the services that a command starts: when the command is killed, they drain and exit.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
