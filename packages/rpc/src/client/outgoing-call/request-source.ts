import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ClientWritableStream } from '@grpc/grpc-js';
import { firstEvent } from '../../grpc-js/first-event.ts';

/** The requests of a call with a stream of requests. */
export interface RequestSource {
  /**
   * Sends requests while the stream has room, until the source or the call ends. Cancels the call if the source throws or
   * a request cannot be encoded.
   */
  send(call: ClientWritableStream<Buffer>): void;
  /**
   * Stops reading and calls the source's `return` once. Waits neither for it nor for the next request, because either may
   * never settle.
   */
  stop(): void;
  /** Set if the source has thrown, or `encode` for one of its requests. */
  readonly failure: { readonly error: unknown } | undefined;
}

export function openRequestSource<Request>(
  requests: AsyncIterable<Request> | Iterable<Request>,
  encode: (request: Request) => Buffer,
): RequestSource {
  const iterator: AsyncIterator<Request> | Iterator<Request> =
    Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
  const stopped = new AbortController();
  /** Set if the source has ended or thrown. Its `return` is not called then. */
  let isOver = false;
  let failure: { error: unknown } | undefined;
  /** Ends the wait for the next request. */
  let stopWaiting = () => {};

  const next = () =>
    new Promise<IteratorResult<Request> | undefined>((resolve, reject) => {
      stopWaiting = () => resolve(undefined);
      Promise.resolve(iterator.next()).then(resolve, reject);
    });
  /** Encodes a request. If it cannot, the source is not read further. */
  const encodeOrStop = (request: Request) => {
    try {
      return encode(request);
    } catch (error) {
      stop();
      throw error;
    }
  };
  const sendAll = async (call: ClientWritableStream<Buffer>) => {
    while (!stopped.signal.aborted) {
      const result = await next();
      if (!result || stopped.signal.aborted) return;
      isOver = result.done === true;
      if (result.done) return void call.end();
      if (call.write(encodeOrStop(result.value))) continue;
      await firstEvent(call, ['drain', 'close', 'error'], stopped.signal).catch(() => {});
      // grpc-js drains into the retry buffer of the call before anything is sent. Without this turn of the event loop, a
      // source that never waits would fill that buffer of 1 MiB while nothing else runs.
      await nextTurn();
    }
  };
  const stop = () => {
    if (stopped.signal.aborted) return;
    stopped.abort();
    stopWaiting();
    if (!isOver) close(iterator);
  };
  return {
    stop,
    send: (call) => {
      call.once('status', stop);
      sendAll(call).catch((error: unknown) => {
        isOver = true;
        failure = { error };
        call.cancel();
      });
    },
    get failure() {
      return failure;
    },
  };
}

/** Calls `return` of an iterator and ignores its failure: the call has ended. */
function close(iterator: AsyncIterator<unknown> | Iterator<unknown>): void {
  new Promise((resolve) => resolve(iterator.return?.())).catch(() => {});
}
