/** Time between the starts of two checks of a replica that does not answer. A check that times out takes as long. */
const checkIntervalMs = 1000;

export interface ReadmissionOptions {
  /** Duration of the ejection of a replica that answers. */
  readonly ejectionMs: number;
  /** Returns whether the replica answers a health check. */
  readonly isAnswering: () => Promise<boolean>;
  readonly readmit: () => void;
}

/**
 * Plans the readmission of a replica that has just been ejected. One that answers a health check has faults of its own, and
 * is readmitted after `ejectionMs`. One that does not answer hangs or is cut off: it is checked every second, and readmitted
 * once it answers, so that no call is spent on trying it. Returns a function that cancels the plan.
 */
export function planReadmission({ ejectionMs, isAnswering, readmit }: ReadmissionOptions): () => void {
  let isCancelled = false;
  let timer: NodeJS.Timeout | undefined;
  const planIn = (delayMs: number, next: () => void) => {
    timer = setTimeout(next, delayMs).unref();
  };
  const check = async (onAnswer: () => void) => {
    const startMs = performance.now();
    const isAlive = await isAnswering();
    if (isCancelled) return;
    if (isAlive) onAnswer();
    else planIn(Math.max(0, startMs + checkIntervalMs - performance.now()), () => check(readmit));
  };
  check(() => planIn(ejectionMs, readmit));
  return () => {
    isCancelled = true;
    clearTimeout(timer);
  };
}
