/**
 * Returns an async generator whose `return` and `throw` abort the signal immediately, even while `next` waits for a
 * message. Those of a generator function would wait for that message first.
 */
export function abortableGenerator<T>(
  open: (readerSignal: AbortSignal) => AsyncGenerator<T, void>,
): AsyncGenerator<T, void> {
  const controller = new AbortController();
  const messages = open(controller.signal);
  const stop = () => {
    controller.abort();
    return messages.return();
  };
  return {
    next: () => messages.next(),
    return: stop,
    throw: async (error) => {
      await stop();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
