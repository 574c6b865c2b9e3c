/** Decides how long the rejection of a call waits. */
export interface LateRejection {
  /** Records that the caller is active in this second. */
  note(caller: string): void;
  /** Time in ms by which to delay the next rejection of the caller; 0: reject at once. */
  delayMs(caller: string): number;
}

const windowMs = 1000;
/** Rejections of a caller in a second that are sent at once. */
const promptPerWindow = 100;
const delayMs = 500;
/** Callers that are remembered. */
const maxCallers = 10_000;

/**
 * Delays the rejections of a caller that retries in a tight loop while the server is full. A rejection costs nearly as
 * much processor time as a small call: 500 calls that are retried at once occupy a core. A caller is delayed only while
 * other callers are active.
 *
 * @param nowMs A clock that only moves forward, in ms.
 */
export function createLateRejection(nowMs: () => number = () => performance.now()): LateRejection {
  /** Rejections by caller, in this second and in the one before. */
  let current = new Map<string, number>();
  let previous = new Map<string, number>();
  let endMs = nowMs() + windowMs;

  const turn = () => {
    const now = nowMs();
    if (now < endMs) return;
    previous = now < endMs + windowMs ? current : new Map();
    current = new Map();
    endMs = now + windowMs;
  };
  const isShared = () => current.size > 1 || previous.size > 1;
  return {
    note: (caller) => {
      turn();
      if (current.size < maxCallers && !current.has(caller)) current.set(caller, 0);
    },
    delayMs: (caller) => {
      turn();
      const rejections = (current.get(caller) ?? 0) + 1;
      current.set(caller, rejections);
      const recent = Math.max(rejections, previous.get(caller) ?? 0);
      return recent > promptPerWindow && isShared() ? delayMs : 0;
    },
  };
}
