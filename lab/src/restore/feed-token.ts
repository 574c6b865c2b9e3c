import { setTimeout as sleep } from 'node:timers/promises';
import { Code, RpcError } from '@acme/rpc/errors';
import { ErrorInfoSchema } from '@acme/rpc/gen/google/rpc/error_details_pb';

/** Opens a watch, from a resume token or, for an empty one, from now on. */
export type OpenWatch = (resumeToken: string) => AsyncIterable<{ readonly resumeToken: string }>;

/** A watcher that keeps the resume token of its last response, until its watch fails. */
export interface FollowedFeed {
  /** Waits for a response that comes after the call. Throws after a minute without one. */
  next(): Promise<void>;
  /**
   * Resumes after the last response, when the service can be reached again. Returns the reason why that fails, or undefined if
   * it does not.
   */
  resume(): Promise<string | undefined>;
}

/** Long enough for a busy machine. */
const nextTimeoutMs = 60_000;
/** Longer than the pause after which a client connects again. */
const resumeTimeoutMs = 30_000;
const pollMs = 20;

export function followFeed(watch: OpenWatch): FollowedFeed {
  let received = 0;
  let token = '';
  const follow = async () => {
    for await (const { resumeToken } of watch('')) {
      token = resumeToken;
      received += 1;
    }
  };
  // It ends when its replica is killed.
  follow().catch(() => {});
  return {
    next: async () => {
      const before = received;
      const endMs = performance.now() + nextTimeoutMs;
      while (received === before) {
        if (performance.now() > endMs) throw new Error('a watch received nothing for a minute');
        await sleep(pollMs);
      }
    },
    resume: async () => {
      const endMs = performance.now() + resumeTimeoutMs;
      for (;;) {
        try {
          for await (const _ of watch(token)) return undefined;
          return 'the watch ended';
        } catch (error) {
          if (!(error instanceof RpcError)) throw error;
          const isAway = error.code === Code.UNAVAILABLE && performance.now() < endMs;
          if (!isAway) return error.findDetail(ErrorInfoSchema)?.reason ?? error.message;
          await sleep(pollMs);
        }
      }
    },
  };
}
