/**
 * Makes an async generator whose `return` and `throw` abort `left` at once, also while `next` waits for a message. Those
 * of a generator function would wait with it.
 */
export function leavable<T>(open: (left: AbortSignal) => AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  const left = new AbortController();
  const messages = open(left.signal);
  const leave = () => {
    left.abort();
    return messages.return();
  };
  return {
    next: () => messages.next(),
    return: leave,
    throw: async (error) => {
      await leave();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => {
      await leave();
    },
  };
}
