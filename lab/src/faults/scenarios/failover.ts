import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabasePair } from '../../cluster/database-pair.ts';
import { expectedCodes } from './databases.ts';
import { confirmedOrderMs, expectOnlyCodes } from './expectations.ts';
import { loseAndMend } from './lost-orders.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Maximum time from a promotion to a confirmed order. A short run also passes on a busy machine. */
const backMs = { long: 5_000, short: 30_000 };

/** Failovers of the databases to their standbys. */
export const failover: readonly Scenario[] = [
  {
    name: 'postgres-failover',
    fault: 'primaries of PostgreSQL are killed and their synchronous standbys promoted: no order is lost',
    rounds: { short: 2, long: 20 },
    watched: true,
    cluster: { standbys: true },
    round: failOver,
  },
  {
    name: 'postgres-failover-async',
    fault: 'a primary is killed and a standby that lags behind promoted: losses are counted and reconciled',
    rounds: { short: 2, long: 20 },
    traffic: false,
    cluster: { standbys: true },
    round: loseAndMend(),
  },
];

/** Kills the primary of orders, of inventory, or both, and fails over. */
async function failOver(context: ScenarioContext): Promise<void> {
  const { cluster, random, history, isShort, measure } = context;
  const since = history.length;
  const names = random.pick([['orders'], ['inventory'], ['orders', 'inventory']]);
  const pairs = names.flatMap((name) => cluster.pairs.get(name) ?? []);
  await sleep(random.int(300, 1000));
  await Promise.all(pairs.map((pair) => pair.killPrimary()));
  await sleep(random.int(0, 500));
  await promoteAndRepoint(pairs, { repointFirst: random.chance(0.5) });
  const tookMs = await confirmedOrderMs(context);
  measure('back', [tookMs], isShort ? backMs.short : backMs.long);
  expectOnlyCodes(context, since, expectedCodes);
  for (const pair of pairs) await pair.heal();
}

/** With `repointFirst`, clients reach the standby while it is read-only. */
async function promoteAndRepoint(
  pairs: readonly DatabasePair[],
  { repointFirst }: { readonly repointFirst: boolean },
): Promise<void> {
  if (repointFirst) {
    await Promise.all(pairs.map((pair) => pair.repoint()));
    await sleep(500);
  }
  await Promise.all(pairs.map((pair) => pair.promote()));
  if (!repointFirst) await Promise.all(pairs.map((pair) => pair.repoint()));
}
