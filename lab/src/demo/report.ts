import type { Night } from './night.ts';
import type { NightResult } from './saturday-night.ts';
import { answeredWithinMs } from './visit.ts';

const maxShown = 20;

/** Formats the result of the night, one figure per line. */
export function reportOf(result: NightResult, { seconds }: Night): string {
  const { orders, verdict, visits, retried, peakPending, outage, firstConfirmedMs } = result;
  const placed = Object.values(orders).reduce((sum, count) => sum + count, 0);
  const within = (share: number) => Math.round(answeredWithinMs(visits, share) ?? Number.NaN);
  const rows: readonly (readonly [name: string, figure: number | string, about: string])[] = [
    ['placed', placed, `orders, ${(placed / seconds).toFixed(1)} per second`],
    ['confirmed', orders.CONFIRMED, ''],
    ['rejected', orders.REJECTED, 'out of stock'],
    ['cancelled', orders.CANCELLED, 'by their customers'],
    ['pending', orders.PENDING, `${peakPending} at the peak`],
    ['retried', retried, 'calls, with the same request_id'],
    ['p50', within(0.5), 'ms until a customer had an answer'],
    ['p99', within(0.99), 'ms'],
    ['down', inSeconds(outage.downMs), 's from the SIGKILL of inventory to its restart'],
    [
      'back',
      firstConfirmedMs ? inSeconds(firstConfirmedMs) : '-',
      's from the SIGKILL to the first confirmed order',
    ],
    ['caught up', inSeconds(outage.settleMs), 's from the return of inventory until the backlog was settled'],
    ['lost', verdict.lost.length, 'acknowledged orders'],
    ['oversold', verdict.oversold.length, 'SKUs with more units reserved than on hand or in orders'],
    ['unsettled', verdict.unsettled.length, 'orders that are pending or await a release'],
  ];
  return [
    ...rows.map(([name, figure, about]) =>
      `${name.padEnd(9)} ${String(figure).padStart(6)}  ${about}`.trimEnd(),
    ),
    ...problemLines(problemsOf(result)),
  ].join('\n');
}

/** Returns all violations, a line each. */
export function problemsOf({ verdict }: NightResult): readonly string[] {
  return Object.values(verdict).flat();
}

function problemLines(problems: readonly string[]): string[] {
  if (problems.length === 0) return ['the databases agree'];
  const more = problems.length > maxShown ? [`  and ${problems.length - maxShown} more`] : [];
  return [
    `the databases disagree in ${problems.length} places:`,
    ...problems.slice(0, maxShown).map((problem) => `  ${problem}`),
    ...more,
  ];
}

function inSeconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(1);
}
