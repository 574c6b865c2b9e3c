/** Counts what holds, and prints a line for each. */
export interface Checks {
  readonly passed: number;
  readonly problems: readonly string[];
  /** @param seen Printed when it does not hold. */
  check(name: string, holds: boolean, seen?: unknown): void;
}

export function createChecks(say: (line: string) => void): Checks {
  const problems: string[] = [];
  let passed = 0;
  return {
    get passed() {
      return passed;
    },
    problems,
    check: (name, holds, seen) => {
      if (holds) passed++;
      else problems.push(`${name}: ${JSON.stringify(seen)}`);
      say(`${holds ? 'ok  ' : 'FAIL'} ${name}${holds ? '' : `: ${JSON.stringify(seen)}`}`);
    },
  };
}
