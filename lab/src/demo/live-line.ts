import type { Score } from './scoreboard.ts';

/** Where there is no terminal to rewrite a line on, one now and then will do. */
const secondsBetweenLines = 5;

export interface LiveLine {
  /** @param happening What goes on; a change of it is always shown. */
  show(score: Score, happening: string): void;
  /** Leaves the last one standing. */
  end(): void;
}

/** Shows the score in one line: rewritten in place on a terminal. */
export function openLiveLine(out: NodeJS.WriteStream): LiveLine {
  let lastHappening = '';
  return {
    show: (score, happening) => {
      const line = lineOf(score, happening);
      // A line that wraps cannot be rewritten.
      if (out.isTTY) out.write(`\r\x1b[K${line.slice(0, out.columns - 1)}`);
      else if (happening !== lastHappening || score.second % secondsBetweenLines === 0)
        out.write(`${line}\n`);
      lastHappening = happening;
    },
    end: () => void (out.isTTY && out.write('\n')),
  };
}

function lineOf({ second, ordersPerSecond, p99Ms, orders }: Score, happening: string): string {
  return [
    `${second} s`.padStart(5),
    happening.padEnd(16),
    `${ordersPerSecond}/s`.padStart(5),
    `p99 ${p99Ms === undefined ? '-' : Math.round(p99Ms)} ms`.padEnd(10),
    `${orders.CONFIRMED} confirmed, ${orders.PENDING} pending, ${orders.REJECTED} refused`,
  ].join('  ');
}
