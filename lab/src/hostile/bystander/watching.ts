import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, messagesOf } from '../wire/grpc-calls.ts';
import type { BystanderWatch } from './calls.ts';

/** The bystander's permanent watch, which must not end, and further watches that it resumes. */
export interface BystanderWatching {
  /** Makes later resumes start from here, so that they must skip the attacker's events since. */
  mark(): void;
  /** Resumes a watch from the mark and waits for its first event. Returns the duration in ms. */
  resume(): Promise<number>;
  /** Ends the watch after it has delivered the event of `makeEvent`. */
  finish(makeEvent: () => Promise<unknown>): Promise<void>;
}

export interface BystanderWatchingOptions {
  readonly connection: Connection;
  readonly token: string;
  readonly watch: BystanderWatch;
  readonly fail: (text: string) => void;
}

const deliveryTimeoutMs = 5000;
const resumeTimeoutMs = 10_000;
const pollMs = 20;

export function startWatching({
  connection,
  token,
  watch,
  fail,
}: BystanderWatchingOptions): BystanderWatching {
  let markedToken = '';
  let latestToken = '';
  let delivered = 0;
  let isFinished = false;
  const keepWatching = async () => {
    const { stream, answered } = connection.call(watch.path, watch.body(''), { token });
    for await (const message of messagesOf(stream)) {
      const { resumeToken, hasEvent } = watch.read(message);
      latestToken = resumeToken;
      markedToken ||= resumeToken;
      if (hasEvent) delivered++;
    }
    const { code, message } = await answered;
    if (!isFinished) fail(`the watch ended with ${code ?? 'nothing'} ${message}`.trim());
  };
  keepWatching();
  return {
    mark: () => {
      markedToken = latestToken;
    },
    resume: async () => {
      const startMs = performance.now();
      const { stream, answered } = connection.call(watch.path, watch.body(markedToken), { token });
      const firstEvent = async () => {
        for await (const message of messagesOf(stream))
          if (watch.read(message).hasEvent || !watch.hasEvents) return true;
        return false;
      };
      const isSeen = await Promise.race([firstEvent(), sleep(resumeTimeoutMs, false)]);
      const tookMs = performance.now() - startMs;
      stream?.close(8);
      const { code, message } = await answered;
      if (!isSeen) fail(`a resumed watch delivered nothing: ${code ?? ''} ${message}`.trim());
      return tookMs;
    },
    finish: async (makeEvent) => {
      const before = delivered;
      await makeEvent();
      const endMs = performance.now() + deliveryTimeoutMs;
      while (watch.hasEvents && delivered === before && performance.now() < endMs) await sleep(pollMs);
      if (watch.hasEvents && delivered === before) fail('the watch did not deliver the last order');
      isFinished = true;
    },
  };
}
