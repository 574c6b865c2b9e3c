export interface RejectionDelay {
  /** Records that the caller is active in this second. */
  recordCall(caller: string): void;
  /** Counts a rejection of the caller. Returns the delay of it in ms; 0 means none. */
  nextDelayMs(caller: string): number;
}

const windowMs = 1000;
/** Rejections of a caller per second that are not delayed. */
const undelayedPerWindow = 100;
const delayMs = 500;
/** Maximum number of callers that are counted. */
const maxCallers = 10_000;

/**
 * Delays the rejections of a caller that retries in a tight loop while the server is full. A rejection costs nearly as
 * much CPU time as a small call: 500 calls that are retried immediately occupy a core. A caller is delayed only while
 * other callers are active.
 *
 * @param nowMs A clock that only moves forward, in ms.
 */
export function createRejectionDelay(nowMs: () => number = () => performance.now()): RejectionDelay {
  /** Rejections by caller, in this second and in the one before. */
  let current = new Map<string, number>();
  let previous = new Map<string, number>();
  let endMs = nowMs() + windowMs;

  const turnWindow = () => {
    const now = nowMs();
    if (now < endMs) return;
    previous = now < endMs + windowMs ? current : new Map();
    current = new Map();
    endMs = now + windowMs;
  };
  const isShared = () => current.size > 1 || previous.size > 1;
  return {
    recordCall: (caller) => {
      turnWindow();
      if (current.size < maxCallers && !current.has(caller)) current.set(caller, 0);
    },
    nextDelayMs: (caller) => {
      turnWindow();
      const rejections = (current.get(caller) ?? 0) + 1;
      current.set(caller, rejections);
      const recent = Math.max(rejections, previous.get(caller) ?? 0);
      return recent > undelayedPerWindow && isShared() ? delayMs : 0;
    },
  };
}
