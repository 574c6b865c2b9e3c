/**
 * Aborts on Ctrl-C, when the terminal is closed, or when the reader of stdout leaves, so that everything is stopped and
 * removed first. A second Ctrl-C ends the process at once.
 */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  process.stdout.on('error', () => controller.abort(new Error('nobody reads this')));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      process.stdout.write('\nstopping\n');
      controller.abort(new Error('interrupted'));
    });
  return controller.signal;
}
