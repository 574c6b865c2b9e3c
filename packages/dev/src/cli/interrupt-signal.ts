import { whenOutputCloses } from './closed-output.ts';
import { onInterrupt } from './on-interrupt.ts';

/**
 * Returns a signal that aborts on Ctrl-C, when the terminal is closed, or when the reader of the output ends, so that the
 * command can stop what it started. A second Ctrl-C ends the process immediately.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  whenOutputCloses(() => controller.abort(new Error('the reader of the output ended')));
  onInterrupt(
    () => {
      process.stdout.write('\nstopping\n');
      controller.abort(new Error('interrupted'));
    },
    () => process.exit(130),
  );
  return controller.signal;
}
