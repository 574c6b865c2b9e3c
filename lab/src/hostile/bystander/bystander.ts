import { setTimeout as sleep } from 'node:timers/promises';
import { checkHealth } from '@acme/rpc/client';
import { Code } from '@acme/rpc/errors';
import type { Service } from '../../cluster/cluster.ts';
import { quantile } from '../../harness/quantile.ts';
import type { BystanderFigures } from '../attack/limits.ts';
import { inParallel } from '../attack/loops.ts';
import { answerWithin, type Connection, connectGrpc } from '../wire/grpc-calls.ts';
import { type BystanderCall, callsAt, watchAt } from './calls.ts';
import { type BystanderWatching, startWatching } from './watching.ts';

/** The message that starts the bystander in its process. */
export interface BystanderTask {
  readonly service: Service;
  readonly port: number;
  readonly token: string;
  /** Tokens of callers that have not called yet. Each is used once. */
  readonly newcomers: readonly string[];
}

interface Bystander extends BystanderTask {
  readonly connection: Connection;
  readonly watching: BystanderWatching;
  fail(text: string): void;
}

const callEveryMs = 40;
/** One call in this many is a write. More would exceed the quota of a caller. */
const callsPerWrite = 8;
const callTimeoutMs = 5000;
const resumeEveryMs = 1500;
const newcomerEveryMs = 500;
const newcomerTimeoutMs = 3000;
const newcomerPauseMs = 150;
const healthEveryMs = 500;
/** The warm-up ends when the p99 of a round is below this, or after `mostRounds` on a busy machine. */
const calmMs = 100;
const warmUp = { leastRounds: 4, mostRounds: 30, callsPerRound: 50, callsAtOnce: 10 };

process.once('message', (task) => run(task as BystanderTask));
process.once('disconnect', () => process.exit());

/**
 * Calls the replica as a caller that is not part of the attack: on its own connection, without retries. It reports
 * `ready` when the replica is warm, calls from `begin` to `finish`, and then reports its figures.
 */
async function run(task: BystanderTask): Promise<void> {
  const { service, port, token } = task;
  const failures: Record<string, number> = {};
  const fail = (text: string) => {
    failures[text] = (failures[text] ?? 0) + 1;
  };
  const connection = connectGrpc(port);
  const watching = startWatching({ connection, token, watch: watchAt(service), fail });
  const bystander: Bystander = { ...task, connection, watching, fail };
  const newcomers = task.newcomers[Symbol.iterator]();
  const makeCall = (index: number) => callOnce(bystander, callOf(service, index));

  const calmP99Ms = await untilWarm(makeCall);
  await arrive(bystander, newcomers.next().value);
  await watching.resume();
  watching.mark();
  process.send?.({ kind: 'ready', calmP99Ms });
  await nextMessage();

  const durationsMs: number[] = [];
  const resumesMs: number[] = [];
  const stop = startTimers(
    [callEveryMs, async (index) => void durationsMs.push(await makeCall(index))],
    [resumeEveryMs, async () => void resumesMs.push(await watching.resume())],
    [healthEveryMs, () => checkReplica(bystander)],
    [newcomerEveryMs, () => arrive(bystander, newcomers.next().value)],
  );
  await nextMessage();
  await stop();
  await watching.finish(() => makeCall(0));
  connection[Symbol.dispose]();
  const figures: BystanderFigures = {
    calls: durationsMs.length,
    p99Ms: quantile(durationsMs, 0.99) ?? 0,
    longestMs: quantile(durationsMs, 1) ?? 0,
    longestResumeMs: quantile(resumesMs, 1) ?? 0,
    failures,
  };
  process.send?.({ kind: 'figures', figures });
}

/** Calls in rounds until the replica is warm. Returns the p99 of the last round, in ms. */
async function untilWarm(makeCall: (index: number) => Promise<number>): Promise<number> {
  for (let round = 1; ; round++) {
    const durationsMs: number[] = [];
    await inParallel(warmUp.callsPerRound, warmUp.callsAtOnce, async (index) => {
      durationsMs.push(await makeCall(index));
    });
    const p99Ms = quantile(durationsMs, 0.99) ?? 0;
    const isCalm = round >= warmUp.leastRounds && p99Ms < calmMs;
    if (isCalm || round === warmUp.mostRounds) return p99Ms;
  }
}

/** Starts each action at its period, whether or not the last one has ended. Returns a function that stops and waits. */
function startTimers(
  ...actions: readonly (readonly [periodMs: number, act: (index: number) => Promise<void>])[]
): () => Promise<void> {
  const pending = new Set<Promise<void>>();
  const timers = actions.map(([periodMs, act]) => {
    let index = 0;
    return setInterval(() => {
      const acting = act(index++).finally(() => pending.delete(acting));
      pending.add(acting);
    }, periodMs);
  });
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(pending);
  };
}

function callOf(service: Service, index: number): BystanderCall {
  const { read, list, write } = callsAt(service);
  if (index % callsPerWrite === 0) return write;
  return index % 2 === 0 ? read : list;
}

/** Makes one call. Returns its duration in ms. */
async function callOnce({ connection, token, fail }: Bystander, call: BystanderCall): Promise<number> {
  const startMs = performance.now();
  const options = { token, headers: { 'grpc-timeout': `${callTimeoutMs}m` } };
  const answering = connection.call(call.path, call.body(), options);
  const { code, message } = await answerWithin(answering, callTimeoutMs + 1000);
  if (code !== call.expectedCode) fail(`${call.name} was answered ${code ?? 'nothing'} ${message}`.trim());
  return performance.now() - startMs;
}

/** Calls with a token that the replica has not seen. The replica may ask such a caller to retry. */
async function arrive({ connection, service, fail }: Bystander, token: string | undefined): Promise<void> {
  const { list } = callsAt(service);
  const endMs = performance.now() + newcomerTimeoutMs;
  let last = '';
  while (token !== undefined && performance.now() < endMs) {
    const answering = connection.call(list.path, list.body(), { token });
    const { code, message } = await answerWithin(answering, Math.max(1, endMs - performance.now()));
    if (code === Code.OK) return;
    last = `a newcomer was answered ${code ?? 'nothing'} ${message}`;
    if (code !== Code.RESOURCE_EXHAUSTED && code !== Code.UNAVAILABLE) break;
    await sleep(newcomerPauseMs);
  }
  if (last !== '') fail(last);
}

/** Checks the health on a new connection, as a kubelet does. */
async function checkReplica({ port, fail }: Bystander): Promise<void> {
  for (const service of ['', 'liveness'])
    if (!(await checkHealth(`127.0.0.1:${port}`, { service })))
      fail(`health of '${service}' was not SERVING within 1 s`);
}

function nextMessage(): Promise<unknown> {
  return new Promise((resolve) => process.once('message', resolve));
}
