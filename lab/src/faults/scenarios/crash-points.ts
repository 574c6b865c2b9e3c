import { setTimeout as sleep } from 'node:timers/promises';
import type { Held, TrapOptions } from '../../cluster/postgres-proxy.ts';
import type { Replica } from '../../cluster/replica.ts';
import { caught, type Row, type Stage } from './scenario.ts';

/** What happens to a process when one of its statements is caught. */
type Blow = (held: Held, victim: Replica) => void | Promise<void>;

interface CrashPoint {
  readonly of: 'orders' | 'inventory';
  readonly at: Pick<TrapOptions, 'phase' | 'statement' | 'tag'>;
  readonly blow: Blow;
}

const kill: Blow = (_held, victim) => victim.kill();
const forwardAndKill: Blow = ({ forward }, victim) => {
  forward();
  return victim.kill();
};
const cut: Blow = ({ sever }) => sever();
const forwardAndCut: Blow = ({ forward, sever }) => {
  forward();
  sever();
};

/** A connection that is lost with its COMMIT, which has arrived or has not: nobody can tell. */
const commitLost = (of: CrashPoint['of'], statement: string | RegExp): CrashPoint[] => [
  { of, at: { phase: 'request', statement }, blow: cut },
  { of, at: { phase: 'request', statement }, blow: forwardAndCut },
  { of, at: { phase: 'answer', statement }, blow: cut },
];

/** The moments at which a process dies or loses its database, one row each, under load. */
export const crashPoints: readonly Row[] = [
  crashRow('1-before-t1', 'orders is killed before T1 reaches the database', [
    { of: 'orders', at: { phase: 'request', statement: 'place-orders' }, blow: kill },
  ]),
  crashRow('2-after-t1', 'orders is killed with T1 committed, the reserve not sent', [
    { of: 'orders', at: { phase: 'answer', statement: 'place-orders' }, blow: kill },
  ]),
  crashRow(
    '3-inside-t2',
    'inventory is killed in the middle of T2',
    ['claim-reservations', 'lock-stock', 'change-reserved'].map((statement) => ({
      of: 'inventory',
      at: { phase: 'answer', statement },
      blow: kill,
    })),
  ),
  crashRow('4-after-t2', 'inventory is killed with T2 committed, its answer not sent', [
    { of: 'inventory', at: { phase: 'answer', statement: 'COMMIT', tag: /^COMMIT/ }, blow: kill },
  ]),
  crashRow('5-before-t3', 'orders is killed with the stock reserved, before T3', [
    { of: 'orders', at: { phase: 'request', statement: 'settle-orders' }, blow: kill },
  ]),
  crashRow('6-inside-t3', 'orders is killed while T3 is at the database', [
    { of: 'orders', at: { phase: 'request', statement: 'settle-orders' }, blow: forwardAndKill },
  ]),
  crashRow('7-after-t3', 'orders loses its customer, or dies, with T3 committed', [
    { of: 'orders', at: { phase: 'answer', statement: 'settle-orders' }, blow: kill },
    {
      of: 'orders',
      at: { phase: 'answer', statement: 'settle-orders' },
      blow: ({ forward }, victim) => {
        victim.front.severAll();
        forward();
      },
    },
  ]),
  crashRow(
    '8-settler',
    'a settler is killed with the release sent and not marked, or with orders it has leased',
    [
      { of: 'orders', at: { phase: 'request', statement: 'mark-released' }, blow: kill },
      { of: 'orders', at: { phase: 'request', statement: 'mark-released' }, blow: forwardAndKill },
      {
        of: 'orders',
        at: { phase: 'answer', statement: 'take-due-orders', tag: /^UPDATE [1-9]/ },
        blow: kill,
      },
    ],
  ),
  crashRow('9-commit-lost-orders', 'orders loses its database during T1, T3 and the COMMIT of a cancel', [
    ...commitLost('orders', 'place-orders'),
    ...commitLost('orders', 'settle-orders'),
    ...commitLost('orders', 'COMMIT'),
  ]),
  crashRow(
    '9-commit-lost-inventory',
    'inventory loses its database during the COMMIT of T2 or of a release',
    commitLost('inventory', 'COMMIT'),
  ),
];

/** A row that goes through the points in turn, and then again. */
function crashRow(name: string, fault: string, points: readonly CrashPoint[]): Row {
  return {
    name,
    fault,
    rounds: {
      short: Math.max(2, Math.min(3, points.length)),
      long: Math.ceil(20 / points.length) * points.length,
    },
    round: async (stage) => {
      const point = points[stage.round % points.length];
      if (point) await crash(stage, point);
    },
  };
}

async function crash({ rig, random }: Stage, { of, at, blow }: CrashPoint): Promise<void> {
  const victim = random.pick(rig[of]);
  await caught(victim.statements, { ...at, skip: random.int(0, 3), act: (held) => blow(held, victim) });
  if (victim.pid === undefined) await victim.start();
  await sleep(random.int(0, 200));
}
