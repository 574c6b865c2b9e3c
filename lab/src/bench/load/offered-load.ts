import { setTimeout as sleep } from 'node:timers/promises';
import { Code, RpcError } from '@acme/rpc/errors/rpc-error';

/** What became of the calls of some seconds; times in ms, as the caller saw them. */
export interface Outcome {
  readonly seconds: number;
  readonly okMs: number[];
  readonly refusedMs: number[];
  /** Calls that ended otherwise, by code. */
  readonly others: Record<string, number>;
}

type Call = () => Promise<unknown>;

/** So many callers, each with its next call as soon as the last one is over: they wait for a server that is slow. */
export async function closedLoop(call: Call, callers: number, seconds: number): Promise<Outcome> {
  return measured(async (settle) => {
    const endMs = performance.now() + seconds * 1000;
    const work = async () => {
      while (performance.now() < endMs) await settle(call);
    };
    await Promise.all(Array.from({ length: callers }, work));
  });
}

/** So many calls a second, whatever becomes of those before: as a crowd is, which waits for nobody. */
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

export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

async function measured(run: (settle: (call: Call) => Promise<void>) => Promise<void>): Promise<Outcome> {
  const startMs = performance.now();
  const okMs: number[] = [];
  const refusedMs: number[] = [];
  const others: Record<string, number> = {};
  await run(async (call) => {
    const callMs = performance.now();
    try {
      await call();
      okMs.push(performance.now() - callMs);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (error.code === Code.RESOURCE_EXHAUSTED) refusedMs.push(performance.now() - callMs);
      else others[Code[error.code]] = (others[Code[error.code]] ?? 0) + 1;
    }
  });
  return { seconds: (performance.now() - startMs) / 1000, okMs, refusedMs, others };
}
