import type { Night } from './night.ts';
import type { NightResult } from './saturday-night.ts';
import { answeredWithinMs } from './visit.ts';

const mostShown = 20;

/** What the night came to, a line each. */
export function reportOf(result: NightResult, { seconds }: Night): string {
  const { orders, verdict, visits, retried, worstPending, outage, firstConfirmedMs } = result;
  const placed = Object.values(orders).reduce((sum, count) => sum + count, 0);
  const within = (share: number) => Math.round(answeredWithinMs(visits, share) ?? Number.NaN);
  const rows: readonly (readonly [name: string, figure: number | string, about: string])[] = [
    ['placed', placed, `orders, ${(placed / seconds).toFixed(1)} a second`],
    ['confirmed', orders.CONFIRMED, ''],
    ['rejected', orders.REJECTED, 'for want of stock'],
    ['cancelled', orders.CANCELLED, 'by their customers'],
    ['pending', orders.PENDING, `${worstPending} at the worst`],
    ['retried', retried, 'calls sent again, with the same request_id'],
    ['p50', within(0.5), 'ms until a customer had an answer'],
    ['p99', within(0.99), 'ms'],
    ['away', inSeconds(outage.awayMs), 's from SIGKILL until somebody started inventory again'],
    [
      'back',
      firstConfirmedMs ? inSeconds(firstConfirmedMs) : '-',
      's from SIGKILL to the first order confirmed',
    ],
    [
      'caught up',
      inSeconds(outage.settleMs),
      's after inventory answered again: all that had waited was settled',
    ],
    ['lost', verdict.lost.length, 'orders that a customer was told of'],
    ['oversold', verdict.oversold.length, 'articles with more reserved than is there, or than orders hold'],
    ['unsettled', verdict.unsettled.length, 'orders that are still owed something'],
  ];
  return [
    ...rows.map(([name, figure, about]) =>
      `${name.padEnd(9)} ${String(figure).padStart(6)}  ${about}`.trimEnd(),
    ),
    ...problemLines(problemsOf(result)),
  ].join('\n');
}

/** Everything that is not as it must be, a line each. */
export function problemsOf({ verdict }: NightResult): readonly string[] {
  return Object.values(verdict).flat();
}

function problemLines(problems: readonly string[]): string[] {
  if (problems.length === 0) return ['the books are right'];
  const more = problems.length > mostShown ? [`  and ${problems.length - mostShown} more`] : [];
  return [
    `the books are wrong, in ${problems.length} places:`,
    ...problems.slice(0, mostShown).map((problem) => `  ${problem}`),
    ...more,
  ];
}

function inSeconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(1);
}
