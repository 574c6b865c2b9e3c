import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ClientWritableStream } from '@grpc/grpc-js';
import { firstEvent } from '../../grpc-js/first-event.ts';

/** The requests of a call that streams them. */
export interface RequestSource<Request> {
  /** Sends the requests as fast as there is room, until they or the call end. Cancels the call when the source throws. */
  send(call: ClientWritableStream<Request>): void;
  /**
   * Takes no more requests and calls `return` of the source, once. Does not wait for it, nor for the request that the
   * source is about to give: either may never come.
   */
  leave(): void;
  /** Set when the source has thrown. */
  readonly failure: { readonly error: unknown } | undefined;
}

export function openRequests<Request>(
  requests: AsyncIterable<Request> | Iterable<Request>,
): RequestSource<Request> {
  const iterator: AsyncIterator<Request> | Iterator<Request> =
    Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
  const left = new AbortController();
  /** The source has ended or thrown by itself, so that it needs no `return`. */
  let isOver = false;
  let failure: { error: unknown } | undefined;
  /** Ends the wait for the next request. */
  let stopWaiting = () => {};

  const next = () =>
    new Promise<IteratorResult<Request> | undefined>((resolve, reject) => {
      stopWaiting = () => resolve(undefined);
      Promise.resolve(iterator.next()).then(resolve, reject);
    });
  const sendAll = async (call: ClientWritableStream<Request>) => {
    while (!left.signal.aborted) {
      const result = await next();
      if (!result || left.signal.aborted) return;
      isOver = result.done === true;
      if (result.done) return void call.end();
      if (call.write(result.value)) continue;
      await firstEvent(call, ['drain', 'close', 'error'], left.signal).catch(() => {});
      // grpc-js drains into the buffer of a call that it may repeat before anything is sent. Without this turn of the event
      // loop a source that never waits would fill that buffer, 1 MiB, while nothing else runs.
      await nextTurn();
    }
  };
  const leave = () => {
    if (left.signal.aborted) return;
    left.abort();
    stopWaiting();
    if (!isOver) close(iterator);
  };
  return {
    leave,
    send: (call) => {
      call.once('status', leave);
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

/** Calls `return` of an iterator, whose failure concerns no call any more. */
function close(iterator: AsyncIterator<unknown> | Iterator<unknown>): void {
  new Promise((resolve) => resolve(iterator.return?.())).catch(() => {});
}
