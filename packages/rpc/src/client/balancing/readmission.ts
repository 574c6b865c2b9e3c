export interface ReadmissionOptions {
  /** Duration of the ejection of a replica that answers. */
  readonly ejectionMs: number;
  /** Returns whether the replica answers a health check. */
  readonly isAnswering: () => Promise<boolean>;
  readonly readmit: () => void;
  /** Called for a replica that does not answer. */
  readonly reconnect: () => void;
}

/**
 * Plans the readmission of a replica that has just been ejected. One that answers a health check has faults of its own, and
 * is readmitted after `ejectionMs`. One that does not answer hangs or is cut off, and `reconnect` is called: no call is spent
 * on trying it. Returns a function that cancels the plan.
 */
export function planReadmission(options: ReadmissionOptions): () => void {
  const { ejectionMs, isAnswering, readmit, reconnect } = options;
  let isCancelled = false;
  let timer: NodeJS.Timeout | undefined;
  isAnswering().then((isAlive) => {
    if (isCancelled) return;
    if (isAlive) timer = setTimeout(readmit, ejectionMs).unref();
    else reconnect();
  });
  return () => {
    isCancelled = true;
    clearTimeout(timer);
  };
}
