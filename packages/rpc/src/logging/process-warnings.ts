import type { Logger } from 'pino';

/**
 * Writes Node's process warnings to the log instead of stderr, by name and code only: their texts come from any library
 * and can contain values of a caller.
 */
export function logProcessWarnings(log: Logger): void {
  // Node's own listener prints the warnings.
  process.removeAllListeners('warning');
  process.on('warning', (warning: Error & { readonly code?: string }) => {
    log.warn({ warning: warning.name, code: warning.code }, 'process warning');
  });
}
