import { setTimeout as sleep } from 'node:timers/promises';
import type { HeldMessage, TrapOptions } from '../../cluster/postgres-proxy.ts';
import type { Replica } from '../../cluster/replica.ts';
import { catchStatement } from './catch-statement.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Acts on a replica when one of its statements or responses is caught. */
type Action = (held: HeldMessage, victim: Replica) => void | Promise<void>;

interface CrashPoint {
  readonly of: 'orders' | 'inventory';
  readonly at: Pick<TrapOptions, 'phase' | 'statement' | 'tag'>;
  readonly action: Action;
}

const kill: Action = (_held, victim) => victim.kill();
const forwardAndKill: Action = ({ forward }, victim) => {
  forward();
  return victim.kill();
};
const cut: Action = ({ sever }) => sever();
const forwardAndCut: Action = ({ forward, sever }) => {
  forward();
  sever();
};

/** Loses the database connection during a COMMIT, so that the service cannot tell whether it is committed. */
const commitLost = (of: CrashPoint['of'], statement: string | RegExp): CrashPoint[] => [
  { of, at: { phase: 'request', statement }, action: cut },
  { of, at: { phase: 'request', statement }, action: forwardAndCut },
  { of, at: { phase: 'response', statement }, action: cut },
];

/** The points at which a process is killed or loses its database, one scenario each, under load. */
export const crashPoints: readonly Scenario[] = [
  crashScenario('1-before-t1', 'the orders process is killed before T1 reaches the database', [
    { of: 'orders', at: { phase: 'request', statement: 'place-orders' }, action: kill },
  ]),
  crashScenario(
    '2-after-t1',
    'the orders process is killed after T1 is committed, before the reserve is sent',
    [{ of: 'orders', at: { phase: 'response', statement: 'place-orders' }, action: kill }],
  ),
  crashScenario('3-inside-t2', 'the inventory process is killed inside T2', [
    { of: 'inventory', at: { phase: 'request', statement: 'reserve-if-enough' }, action: forwardAndKill },
    // The statements of a T2 in which stock is short.
    ...['claim-reservations', 'lock-stock', 'change-reserved'].map(
      (statement): CrashPoint => ({
        of: 'inventory',
        at: { phase: 'response', statement },
        action: kill,
      }),
    ),
  ]),
  crashScenario(
    '4-after-t2',
    'the inventory process is killed after T2 is committed, before its response is sent',
    [
      {
        of: 'inventory',
        at: { phase: 'response', statement: 'reserve-if-enough', tag: /^SELECT [1-9]/ },
        action: kill,
      },
      { of: 'inventory', at: { phase: 'response', statement: 'COMMIT', tag: /^COMMIT/ }, action: kill },
    ],
  ),
  crashScenario('5-before-t3', 'the orders process is killed after the stock is reserved, before T3', [
    { of: 'orders', at: { phase: 'request', statement: 'settle-orders' }, action: kill },
  ]),
  crashScenario('6-inside-t3', 'the orders process is killed while the database executes T3', [
    { of: 'orders', at: { phase: 'request', statement: 'settle-orders' }, action: forwardAndKill },
  ]),
  crashScenario('7-after-t3', 'the orders process is killed, or loses its caller, after T3 is committed', [
    { of: 'orders', at: { phase: 'response', statement: 'settle-orders' }, action: kill },
    {
      of: 'orders',
      at: { phase: 'response', statement: 'settle-orders' },
      action: ({ forward }, victim) => {
        victim.front.severAll();
        forward();
      },
    },
  ]),
  crashScenario(
    '8-settler',
    'the orders process is killed after a release is sent and before it is marked, or with leased orders',
    [
      { of: 'orders', at: { phase: 'request', statement: 'mark-undone' }, action: kill },
      { of: 'orders', at: { phase: 'request', statement: 'mark-undone' }, action: forwardAndKill },
      {
        of: 'orders',
        at: { phase: 'response', statement: 'lease-due-orders', tag: /^UPDATE [1-9]/ },
        action: kill,
      },
    ],
  ),
  crashScenario(
    '9-commit-lost-orders',
    'orders loses its database connection during T1, T3 or the COMMIT of a cancel',
    [
      ...commitLost('orders', 'place-orders'),
      ...commitLost('orders', 'settle-orders'),
      ...commitLost('orders', 'COMMIT'),
    ],
  ),
  crashScenario(
    '9-commit-lost-inventory',
    'inventory loses its database connection during T2, its COMMIT or that of a release',
    [...commitLost('inventory', 'reserve-if-enough'), ...commitLost('inventory', 'COMMIT')],
  ),
];

/** Returns a scenario whose rounds cycle through the points. */
function crashScenario(name: string, fault: string, points: readonly CrashPoint[]): Scenario {
  return {
    name,
    fault,
    rounds: {
      short: Math.max(2, Math.min(3, points.length)),
      long: Math.ceil(20 / points.length) * points.length,
    },
    round: async (context) => {
      const point = points[context.round % points.length];
      if (point) await crash(context, point);
    },
  };
}

async function crash({ cluster, random }: ScenarioContext, { of, at, action }: CrashPoint): Promise<void> {
  const victim = random.pick(cluster[of]);
  await catchStatement(victim.statements, {
    ...at,
    skip: random.int(0, 3),
    act: (held) => action(held, victim),
  });
  if (victim.pid === undefined) await victim.start();
  await sleep(random.int(0, 200));
}
