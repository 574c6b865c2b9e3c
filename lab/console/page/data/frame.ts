/**
 * Returns a function that calls `flush` in the next animation frame, at most once in `minIntervalMs`, however often it is called.
 */
export function batched(flush: () => void, minIntervalMs: number): () => void {
  let isDue = false;
  let flushedMs = Number.NEGATIVE_INFINITY;
  const run = () => {
    isDue = false;
    flushedMs = performance.now();
    flush();
  };
  return () => {
    if (isDue) return;
    isDue = true;
    const waitMs = flushedMs + minIntervalMs - performance.now();
    if (waitMs > 0) setTimeout(() => requestAnimationFrame(run), waitMs);
    else requestAnimationFrame(run);
  };
}
