import { quantile } from '@acme/lab/harness/quantile';

/** The times that customers waited for their answers, of the last five seconds. */
export interface AnswerTimes {
  add(answeredMs: number, durationMs: number): void;
  /** Returns the number of answers in the last second. */
  perSecond(): number;
  /** Returns a quantile in ms. Null without answers. */
  quantileMs(share: number): number | null;
}

interface Answer {
  readonly answeredMs: number;
  readonly durationMs: number;
}

const keptMs = 5000;

/** @param now Monotonic clock, in ms. */
export function createAnswerTimes(now: () => number = () => performance.now()): AnswerTimes {
  let answers: Answer[] = [];
  const since = (ms: number) => answers.filter(({ answeredMs }) => answeredMs > now() - ms);
  return {
    add: (answeredMs, durationMs) => {
      answers.push({ answeredMs, durationMs });
      // Answers arrive in the order of their time. Half of them may be old before they are removed.
      if (answers.length % 1024 === 0) answers = since(keptMs);
    },
    perSecond: () => since(1000).length,
    quantileMs: (share) =>
      quantile(
        since(keptMs).map(({ durationMs }) => durationMs),
        share,
      ) ?? null,
  };
}
