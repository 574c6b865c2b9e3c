import { setTimeout as sleep } from 'node:timers/promises';
import { openCustomers } from '../harness/customers.ts';
import type { Call } from '../harness/history.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import { setStock } from '../harness/stock.ts';
import { startTraffic } from '../harness/traffic.ts';
import { untilSettled } from '../harness/until-settled.ts';
import { judgeHistory } from '../harness/verdict.ts';
import type { HostReplica } from './host-replica.ts';
import { ownAddress } from './network.ts';
import type { TwoHosts } from './two-hosts.ts';

const shop = 'hosts';
const skus = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const pace = { shoppers: 12, pauseMs: 100 };
/** Every one of these is called for every order. */
const pair = ['orders', 'inventory'];

const cutMs = 10_000;
/** By then every client has had five calls expire at each replica of the host, and has ejected it. */
const ejectedWithinMs = 6_000;
/** The promise is 5 s. A busy machine gets more. */
const usedWithinMs = 8_000;
/** The longest deadline of the calls is 2 s. A busy machine notices its end later. */
const answeredWithinMs = 4_000;
const calmMs = 3_000;
const pollMs = 50;

/** What a scenario has found in one round. */
interface Finding {
  /** Undefined if the scenario passed. */
  readonly problem: string | undefined;
  readonly figures: string;
}

interface Context {
  readonly hosts: TwoHosts;
  /** All calls of the customers so far. */
  readonly history: readonly Call[];
}

const scenarios: Readonly<Record<string, (context: Context) => Promise<Finding>>> = {
  'a replica of each service leaves by SIGTERM, and no call fails': leave,
  'a replica of each service joins, and all callers use it': joinAgain,
  'a host is cut off for 10 s, and the calls go on by the other': cutOff,
  'the host is back, and all callers use its replicas': comeBack,
};

/** Runs the scenarios in order, in each round, while customers place orders. Prints a line for each. */
export async function runScenarios(
  hosts: TwoHosts,
  rounds: number,
): Promise<{ passed: number; failed: number }> {
  const history: Call[] = [];
  const counts = { passed: 0, failed: 0 };
  const report = (name: string, { problem, figures }: Finding) => {
    counts[problem === undefined ? 'passed' : 'failed']++;
    process.stdout.write(`${problem === undefined ? 'ok  ' : 'FAIL'} ${name}: ${problem ?? figures}\n`);
  };
  using customers = openCustomers({
    target: hosts.ordersTarget,
    credentials: hosts.credentials,
    token: await hosts.token('shop', ['orders:read:any', 'orders:write:any', 'orders:read', 'orders:write']),
    onCall: (call) => history.push(call),
  });
  await startAll(hosts);
  await setStock(hosts, Object.fromEntries(skus.map((sku) => [sku, 1_000_000])));
  const traffic = startTraffic({ customers, shop, random: seededRandom(shop), skus, ...pace });
  await sleep(calmMs);
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(scenarios)) report(name, await run({ hosts, history }));
  await traffic.stop({ giveUpAfterMs: 15_000 });
  await untilSettled(hosts, performance.now());
  const exits = hosts.replicas.flatMap(({ unexpectedExit }) => unexpectedExit ?? []);
  const violations = [...Object.values(await judgeHistory(hosts, history, shop)).flat(), ...exits];
  report('the invariants hold', {
    problem: violations.length > 0 ? violations.slice(0, 10).join('\n') : undefined,
    figures: `${history.length} calls`,
  });
  return counts;
}

/** Starts one replica of each service at a time, because each takes a second of processor time, and adds it to DNS. */
async function startAll({ hosts, replicas, publish }: TwoHosts): Promise<void> {
  for (const address of hosts.flatMap((host) => host.addresses)) {
    const starting = replicas.filter((each) => each.address === address);
    await Promise.all(starting.map((each) => each.start()));
    for (const each of starting) publish(each);
  }
}

/** Returns the replicas that leave and join. */
function changing({ hosts, replicas }: TwoHosts): HostReplica[] {
  const [, address] = hosts[0].addresses;
  return replicas.filter((each) => each.address === address && pair.includes(each.service));
}

async function leave({ hosts, history }: Context): Promise<Finding> {
  const leaving = changing(hosts);
  const since = history.length;
  for (const each of leaving) hosts.withdraw(each);
  const exits = await Promise.all(leaving.map((each) => each.terminate()));
  await sleep(calmMs);
  const calls = history.slice(since);
  // On a busy machine calls expire at replicas that stay, too.
  const addresses = leaving.map(({ address }) => address);
  const failed = calls.find((call) => failureOf(call) && (!hasExpired(call) || isAt(addresses, call)));
  const exit = exits.find((each) => each !== 0);
  return {
    problem: exit === undefined ? failed && failureOf(failed) : `a replica ended with ${exit}`,
    figures: `none of ${calls.length}`,
  };
}

async function joinAgain({ hosts }: Context): Promise<Finding> {
  const joining = changing(hosts);
  await Promise.all(joining.map((each) => each.start()));
  const used = joining.map((each) => untilUsed(hosts, each));
  for (const each of joining) hosts.publish(each);
  return usedFinding(await Promise.all(used));
}

async function cutOff({ hosts, history }: Context): Promise<Finding> {
  const [, host] = hosts.hosts;
  const since = history.length;
  const startMs = performance.now();
  await host.cutOff();
  await sleep(cutMs);
  const calls = history.slice(since);
  const failed = calls.filter(failureOf);
  const late = failed.find((call) => call.startMs > startMs + ejectedWithinMs && isAt(host.addresses, call));
  const slow = calls.find((call) => call.endMs - call.startMs > answeredWithinMs);
  const lastFailureMs = Math.max(startMs, ...failed.map(({ endMs }) => endMs)) - startMs;
  const goOn = calls.some((call) => call.startMs > startMs + ejectedWithinMs && !failed.includes(call));
  const problem = late
    ? `a call of the cut host still failed: ${failureOf(late)}`
    : slow
      ? `a call took ${Math.round(slow.endMs - slow.startMs)} ms`
      : goOn
        ? undefined
        : 'no call was answered';
  return {
    problem,
    figures: `${failed.length} of ${calls.length} calls failed, the last one after ${seconds(lastFailureMs)}`,
  };
}

async function comeBack({ hosts }: Context): Promise<Finding> {
  const [, host] = hosts.hosts;
  const replicas = hosts.replicas.filter((each) => each.host === host && pair.includes(each.service));
  const used = replicas.map((each) => untilUsed(hosts, each));
  await host.reconnect();
  const finding = usedFinding(await Promise.all(used));
  await sleep(calmMs);
  return finding;
}

/** Waits until the replica has served a call of each caller. Returns the time since the call. */
async function untilUsed(hosts: TwoHosts, replica: HostReplica): Promise<number> {
  const startMs = performance.now();
  // All connections of a host have its first address.
  const callers =
    replica.service === 'orders' ? [ownAddress] : hosts.hosts.map(({ addresses }) => addresses[0]);
  const served = await replica.watchCallers();
  for (;;) {
    const seen = await served();
    const tookMs = performance.now() - startMs;
    if (callers.every((each) => each && seen.has(each)) || tookMs > usedWithinMs) return tookMs;
    await sleep(pollMs);
  }
}

function usedFinding(tookMs: readonly number[]): Finding {
  const longest = Math.max(...tookMs);
  return {
    problem: longest > usedWithinMs ? `a replica was not used within ${usedWithinMs / 1000} s` : undefined,
    figures: `after ${seconds(longest)}`,
  };
}

/** Returns the failure of a call, if it failed and its customer had to repeat it. */
function failureOf({ method, outcome }: Call): string | undefined {
  return outcome.kind === 'unknown' ? `${method}: ${outcome.code} ${outcome.message}` : undefined;
}

function hasExpired({ outcome }: Call): boolean {
  return outcome.kind === 'unknown' && outcome.code === 'DEADLINE_EXCEEDED';
}

/** Whether the last attempt of a failed call was at one of these addresses. */
function isAt(addresses: readonly string[], call: Call): boolean {
  return addresses.some((address) => failureOf(call)?.includes(`remote_addr=${address}:`));
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
