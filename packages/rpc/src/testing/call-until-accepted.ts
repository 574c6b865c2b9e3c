import { setTimeout as sleep } from 'node:timers/promises';
import { retryDelayMsOf } from '../errors/error-details.ts';
import { RpcError } from '../errors/rpc-error.ts';
import { transientCodes } from '../errors/status-codes.ts';

const maxAttempts = 100;

/** Delay after an error without RetryInfo. */
const defaultDelayMs = 500;

/**
 * Repeats a call after errors with RetryInfo, with its delay, and after transient errors. Up to 100 attempts. Only for
 * calls that are safe to repeat.
 */
export async function callUntilAccepted<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RpcError) || attempt === maxAttempts) throw error;
      const delayMs = retryDelayMsOf(error);
      if (delayMs === undefined && !transientCodes.has(error.code)) throw error;
      await sleep(delayMs ?? defaultDelayMs);
    }
  }
}
