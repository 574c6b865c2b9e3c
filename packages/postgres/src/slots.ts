/** Gives one of a number of places, which is let go by disposing it; first come, first served. */
export type TakeSlot = (signal: AbortSignal) => Promise<Disposable>;

export function createSlots(count: number): TakeSlot {
  let free = count;
  const waiting: (() => void)[] = [];
  const release = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async (signal) => {
    signal.throwIfAborted();
    if (free > 0) free--;
    else
      await new Promise<void>((resolve, reject) => {
        const take = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          waiting.splice(waiting.indexOf(take), 1);
          reject(signal.reason);
        };
        waiting.push(take);
        signal.addEventListener('abort', leave, { once: true });
      });
    return { [Symbol.dispose]: release };
  };
}
