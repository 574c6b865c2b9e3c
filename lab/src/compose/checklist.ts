/** Runs checks one by one, and prints the result of each. */
export interface Checklist {
  /** Runs one check, and prints `found` beside it. A throw is a failure too. */
  check(name: string, run: () => Promise<{ good: boolean; found: string }>): Promise<void>;
  /** Number of checks that passed and that failed. */
  readonly counts: { readonly passed: number; readonly failed: number };
}

/** After `signal` has aborted, `check` rejects. */
export function createChecklist(say: (line: string) => void, signal: AbortSignal): Checklist {
  const counts = { passed: 0, failed: 0 };
  return {
    counts,
    check: async (name, run) => {
      const { good, found } = await run().catch((error: unknown) => ({ good: false, found: String(error) }));
      signal.throwIfAborted();
      counts[good ? 'passed' : 'failed'] += 1;
      say(`${good ? 'ok  ' : 'FAIL'}  ${name}${found && `: ${found}`}`);
    },
  };
}
