// Preloaded into the services that the tools start: when their parent is killed without a word, they drain and end.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
