import { setTimeout as sleep } from 'node:timers/promises';

const timeoutMs = 60_000;
const pollMs = 250;

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly RangeSeries[] };
}

/** What a series was at some times. */
export interface RangeSeries {
  readonly metric: Readonly<Record<string, string>>;
  /** Times are in Unix seconds, values as text: `NaN` and `+Inf` are among them. Only ranges have them. */
  readonly values: readonly (readonly [atSeconds: number, value: string])[];
}

/** How many series a Prometheus answers the query with. @throws Error with what it says of a query that it refuses. */
export async function askPrometheus(address: string, query: string): Promise<number> {
  const { data } = await ask(address, 'query', { query });
  return data.result.length;
}

/** Waits until Prometheus has scraped each job from now on. @throws Error naming the jobs when it does not. */
export async function untilScraped(address: string, jobs: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  const since = Date.now() / 1000;
  // The time of the sample, of those targets that are up.
  const query = `timestamp(up == 1) > ${since}`;
  for (;;) {
    const answer = await ask(address, 'query', { query }).catch(() => undefined);
    const scraped = new Set(answer?.data.result.map(({ metric }) => metric.job));
    if (jobs.every((job) => scraped.has(job))) return;
    if (performance.now() > deadlineMs)
      throw new Error(`Prometheus has not scraped ${jobs.join(' and ')} in ${timeoutMs / 1000} s`);
    await sleep(pollMs);
  }
}

/** What the query gives between two times, in Unix seconds. @throws Error with what Prometheus says of a refusal. */
export async function askPrometheusRange(
  address: string,
  query: string,
  range: { readonly start: number; readonly end: number; readonly step: number },
): Promise<readonly RangeSeries[]> {
  const { data } = await ask(address, 'query_range', { query, ...range });
  return data.result;
}

async function ask(
  address: string,
  endpoint: 'query' | 'query_range',
  parameters: Readonly<Record<string, string | number>>,
): Promise<Answer> {
  const response = await fetch(`http://${address}/api/v1/${endpoint}`, {
    method: 'POST',
    body: new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)])),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = (await response.json()) as Answer;
  if (answer.status !== 'success') throw new Error(`Prometheus refuses ${parameters.query}: ${answer.error}`);
  return answer;
}
