export interface ReadmissionOptions {
  readonly ejectionMs: number;
  /** Returns whether the replica leaves a health check without an answer. */
  readonly isSilent: () => Promise<boolean>;
  readonly readmit: () => void;
  /** Called for a silent replica. */
  readonly reconnect: () => void;
}

/**
 * Plans the readmission of a replica that has just been ejected, after `ejectionMs`. A replica that leaves a health check without
 * an answer hangs or is cut off, and `reconnect` is called: until its new connection is established, no call is spent on
 * trying it. Returns a function that cancels the plan.
 */
export function planReadmission({
  ejectionMs,
  isSilent,
  readmit,
  reconnect,
}: ReadmissionOptions): () => void {
  let isCancelled = false;
  const timer = setTimeout(readmit, ejectionMs).unref();
  isSilent().then((isSilent) => {
    if (isSilent && !isCancelled) reconnect();
  });
  return () => {
    isCancelled = true;
    clearTimeout(timer);
  };
}
