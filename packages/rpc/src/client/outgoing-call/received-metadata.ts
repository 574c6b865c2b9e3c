import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import { beforeEnd, type CallEnd } from './before-end.ts';
import type { CallOptions } from './call-options.ts';

/** The headers and trailers of a call whose caller has a callback for them. */
export interface ReceivedMetadata {
  /**
   * Calls `onTrailers`, and waits for callbacks that are asynchronous, until the end of the call. Called once, when grpc-js
   * has ended the call.
   *
   * @throws the error of a callback, which is the outcome of the call.
   */
  finish(end: CallEnd): Promise<void>;
}

/**
 * Passes the headers of a call to `onHeaders` and keeps its trailers for `onTrailers`, each in the context of the caller.
 * Returns undefined if there is no callback.
 */
export function observeMetadata(
  call: EventEmitter & { cancel(): void },
  { onHeaders, onTrailers }: CallOptions,
): ReceivedMetadata | undefined {
  if (!onHeaders && !onTrailers) return undefined;
  const inContext = AsyncLocalStorage.snapshot();
  let trailers: Metadata | undefined;
  let failure: { readonly error: unknown } | undefined;
  /** Settles with an asynchronous `onHeaders`, which its type does not exclude. It may never settle. */
  let read: Promise<void> | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
    call.cancel();
  };
  if (onHeaders)
    call.once('metadata', (headers: Metadata) => {
      read = inContext(async () => onHeaders(headers)).catch(fail);
    });
  if (onTrailers)
    call.once('status', ({ metadata }: StatusObject) => {
      trailers = metadata;
    });
  return {
    finish: async (end) => {
      if (read) await beforeEnd(read, end, 'the call ended before onHeaders had settled');
      if (failure) throw failure.error;
      const last: unknown = onTrailers && trailers && inContext(onTrailers, trailers);
      if (last instanceof Promise) await beforeEnd(last, end, 'the call ended before onTrailers had settled');
    },
  };
}
