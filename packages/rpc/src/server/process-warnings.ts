import type { Logger } from 'pino';

/**
 * Sends Node's process warnings to the log instead of stderr. They are named, by name and code: their texts are those of
 * any library, can hold values of a caller, and come as often as a caller can cause them.
 */
export function logProcessWarnings(log: Logger): void {
  // Node's own listener prints them.
  process.removeAllListeners('warning');
  process.on('warning', (warning: Error & { readonly code?: string }) => {
    log.warn({ warning: warning.name, code: warning.code }, 'process warning');
  });
}
