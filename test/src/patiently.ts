import { setTimeout as sleep } from 'node:timers/promises';
import { RetryInfoSchema } from '@acme/gen/google/rpc/error_details_pb';
import { Code, RpcError } from '@acme/rpc/errors';
import { durationMs } from '@bufbuild/protobuf/wkt';

/** Makes a call, and makes it again for as long as the server is too busy for it, when the server says. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== Code.RESOURCE_EXHAUSTED) throw error;
      const delay = error.detail(RetryInfoSchema)?.retryDelay;
      await sleep(delay ? durationMs(delay) : 100);
    }
  }
}
