import { setTimeout as sleep } from 'node:timers/promises';
import { RetryInfoSchema } from '@acme/gen/google/rpc/error_details_pb';
import { RpcError } from '@acme/rpc/errors';
import { durationMs } from '@bufbuild/protobuf/wkt';

const maxAttempts = 100;

/**
 * Makes a call again when it is told to come back later, after as long as the RetryInfo says: what every client of a
 * busy server should do. Only for calls that may be sent twice.
 */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      const delay = error instanceof RpcError ? error.detail(RetryInfoSchema)?.retryDelay : undefined;
      if (!delay || attempt === maxAttempts) throw error;
      await sleep(durationMs(delay));
    }
  }
}
