import { setTimeout as sleep } from 'node:timers/promises';
import { Code, RpcError } from '@acme/rpc/errors';

/** Durations of calls by outcome, in ms, as measured by the caller. */
export interface Outcome {
  readonly seconds: number;
  readonly okMs: number[];
  readonly rejectedMs: number[];
  /** Number of other failures, by code. */
  readonly others: Record<string, number>;
}

type Call = () => Promise<unknown>;

/** Runs callers in a closed loop: each makes its next call when the last one has ended. */
export async function closedLoop(call: Call, callers: number, seconds: number): Promise<Outcome> {
  return measured(async (settle) => {
    const endMs = performance.now() + seconds * 1000;
    const work = async () => {
      while (performance.now() < endMs) await settle(call);
    };
    await Promise.all(Array.from({ length: callers }, work));
  });
}

/** Makes calls at a fixed rate (an open loop), whether or not earlier calls have ended. */
export async function openLoop(call: Call, perSecond: number, seconds: number): Promise<Outcome> {
  return measured(async (settle) => {
    const startMs = performance.now();
    const calls: Promise<void>[] = [];
    for (let elapsedMs = 0; elapsedMs < seconds * 1000; elapsedMs = performance.now() - startMs) {
      while (calls.length < (elapsedMs / 1000) * perSecond) calls.push(settle(call));
      await sleep(1);
    }
    await Promise.all(calls);
  });
}

async function measured(run: (settle: (call: Call) => Promise<void>) => Promise<void>): Promise<Outcome> {
  const startMs = performance.now();
  const okMs: number[] = [];
  const rejectedMs: number[] = [];
  const others: Record<string, number> = {};
  await run(async (call) => {
    const callMs = performance.now();
    try {
      await call();
      okMs.push(performance.now() - callMs);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (error.code === Code.RESOURCE_EXHAUSTED) rejectedMs.push(performance.now() - callMs);
      else others[Code[error.code]] = (others[Code[error.code]] ?? 0) + 1;
    }
  });
  return { seconds: (performance.now() - startMs) / 1000, okMs, rejectedMs, others };
}
