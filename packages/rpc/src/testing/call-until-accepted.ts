import { setTimeout as sleep } from 'node:timers/promises';
import { RetryInfoSchema } from '@acme/gen/google/rpc/error_details_pb';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { RpcError } from '../errors/rpc-error.ts';
import { transientCodes } from '../errors/status-codes.ts';

const maxAttempts = 100;

/** After an answer that does not say when to come back. */
const defaultDelayMs = 500;

/**
 * Makes a call again when it is told to come back later, after as long as the RetryInfo says, and when nobody is there
 * to tell it: what a client that has time should do. Only for calls that may be sent twice.
 */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RpcError) || attempt === maxAttempts) throw error;
      const delay = error.detail(RetryInfoSchema)?.retryDelay;
      if (!delay && !transientCodes.has(error.code)) throw error;
      await sleep(delay ? durationMs(delay) : defaultDelayMs);
    }
  }
}
