/** What was looked at, told as it goes. */
export interface Checklist {
  /** Looks at one thing; a throw is a failure too. What was found is told beside it. */
  check(what: string, look: () => Promise<{ good: boolean; found: string }>): Promise<void>;
  /** How many were good, how many not. */
  readonly counts: { readonly passed: number; readonly failed: number };
}

/** The signal ends it: nothing is looked at any more. */
export function createChecklist(say: (line: string) => void, signal: AbortSignal): Checklist {
  const counts = { passed: 0, failed: 0 };
  return {
    counts,
    check: async (what, look) => {
      const { good, found } = await look().catch((error: unknown) => ({ good: false, found: String(error) }));
      signal.throwIfAborted();
      counts[good ? 'passed' : 'failed'] += 1;
      say(`${good ? 'ok  ' : 'FAIL'}  ${what}${found && `: ${found}`}`);
    },
  };
}
