/** The reason why a server did not start. */
export interface StartFailure {
  readonly reason: string;
  readonly isPortInUse: boolean;
  /** Whether backends of a killed server still hold its shared memory. */
  readonly isMemoryInUse: boolean;
}

/**
 * Returns why a server did not start, from its log with `lc_messages = C`: the line with the bind error, which precedes the
 * FATAL line, or else the FATAL line.
 */
export function startFailure(log: string): StartFailure {
  const lines = log.trim().split('\n');
  const bindError = lines.find((text) => text.includes('could not bind'));
  const line = bindError ?? lines.findLast((text) => /\b(FATAL|PANIC|ERROR): /.test(text)) ?? lines.at(-1);
  return {
    reason: line?.replace(/^.*?(LOG|FATAL|PANIC|ERROR): +/, '') ?? '',
    isPortInUse: bindError !== undefined,
    isMemoryInUse: line?.includes('pre-existing shared memory block') ?? false,
  };
}

/** Returns why initdb failed, from its standard error. */
export function initdbFailure(stderr: string): string | undefined {
  return stderr.split('\n').find((line) => line.startsWith('initdb: '));
}
