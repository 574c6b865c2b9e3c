/**
 * Runs work while the page is visible. A hidden page has no streams: browsers open six connections to an origin, which all tabs
 * share.
 *
 * @param start Starts the work. The signal aborts when the page is hidden. Called again when the page is visible again.
 * @returns Ends the work, and does not start it again.
 */
export function whileVisible(start: (signal: AbortSignal) => void): () => void {
  let running: AbortController | undefined;
  const update = () => {
    const isVisible = document.visibilityState === 'visible';
    if (isVisible === (running !== undefined)) return;
    running?.abort();
    running = isVisible ? new AbortController() : undefined;
    if (running) start(running.signal);
  };
  const end = () => {
    document.removeEventListener('visibilitychange', update);
    running?.abort();
  };
  document.addEventListener('visibilitychange', update);
  update();
  return end;
}

/** Waits, and returns early when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
