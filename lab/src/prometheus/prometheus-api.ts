import { setTimeout as sleep } from 'node:timers/promises';

const timeoutMs = 60_000;
const pollMs = 250;

interface Series {
  readonly metric: Readonly<Record<string, string>>;
}

interface Response {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly Series[] };
}

/** Returns the series that a query selects now. @throws Error with Prometheus's message when it rejects the query. */
export async function queryPrometheus(address: string, query: string): Promise<readonly Series[]> {
  const response = await fetch(`http://${address}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const { status, error, data } = (await response.json()) as Response;
  if (status !== 'success') throw new Error(`Prometheus rejects ${query}: ${error}`);
  return data.result;
}

/** Waits until Prometheus has scraped each job after this call. @throws Error that names the jobs after a minute. */
export async function untilScraped(address: string, jobs: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  // `timestamp` returns the time of a sample for a selector alone: for `up == 1` it would be the time of the query.
  const query = `timestamp(up) > ${Date.now() / 1000} and up == 1`;
  for (;;) {
    const series = await queryPrometheus(address, query).catch(() => []);
    const scraped = new Set(series.map(({ metric }) => metric.job));
    if (jobs.every((job) => scraped.has(job))) return;
    if (performance.now() > deadlineMs)
      throw new Error(`Prometheus has not scraped ${jobs.join(' and ')} in ${timeoutMs / 1000} s`);
    await sleep(pollMs);
  }
}
