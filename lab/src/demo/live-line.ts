import type { Score } from './scoreboard.ts';

/** Interval of the lines where there is no terminal to rewrite one on. */
const secondsBetweenLines = 5;

export interface LiveLine {
  /** @param phase The current phase of the night. A change of it is always shown. */
  show(score: Score, phase: string): void;
  /** Ends the line. */
  end(): void;
}

/** Shows the score in one line, which is rewritten in place on a terminal. */
export function openLiveLine(out: NodeJS.WriteStream): LiveLine {
  let lastPhase = '';
  return {
    show: (score, phase) => {
      const line = lineOf(score, phase);
      // A line that wraps cannot be rewritten.
      if (out.isTTY) out.write(`\r\x1b[K${line.slice(0, out.columns - 1)}`);
      else if (phase !== lastPhase || score.second % secondsBetweenLines === 0) out.write(`${line}\n`);
      lastPhase = phase;
    },
    end: () => void (out.isTTY && out.write('\n')),
  };
}

function lineOf({ second, ordersPerSecond, p99Ms, orders }: Score, phase: string): string {
  return [
    `${second} s`.padStart(5),
    phase.padEnd(16),
    `${ordersPerSecond}/s`.padStart(5),
    `p99 ${p99Ms === undefined ? '-' : Math.round(p99Ms)} ms`.padEnd(10),
    `${orders.CONFIRMED} confirmed, ${orders.PENDING} pending, ${orders.REJECTED} rejected`,
  ].join('  ');
}
