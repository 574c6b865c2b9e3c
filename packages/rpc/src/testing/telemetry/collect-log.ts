import { createLogger, type Logger } from '../../logging/logger.ts';

/** Returns a logger and its parsed lines so far. */
export function collectLog(): { readonly log: Logger; readonly lines: readonly Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger(
    { service: 'test', level: 'debug' },
    { write: (line) => lines.push(JSON.parse(line)) },
  );
  return { log, lines };
}
