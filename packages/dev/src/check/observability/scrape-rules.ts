import { join } from 'node:path';
import { services } from '../../repository/load-services.ts';
import { root } from '../../repository/paths.ts';
import type { ServiceEntry } from '../../repository/service-entry.ts';
import { type PrometheusConfig, readPrometheusConfig, type ScrapeJob } from './prometheus-config.ts';

type ScrapedService = Pick<ServiceEntry, 'name' | 'metricsPort'>;

const folder = 'deploy/observability/prometheus';

/** Lists the problems of the configurations for `npm start` and for Compose. Returns undefined when there are none. */
export function checkScraping(): string | undefined {
  const problems = ['local', 'containers'].flatMap((name) =>
    scrapeProblems(
      services,
      readPrometheusConfig(join(root, folder, `${name}.yml`)),
      `${folder}/scrape/${name}`,
    ),
  );
  return problems.join('\n') || undefined;
}

/**
 * Lists services of `services.ts` without a scrape job, jobs without such a service, and jobs with another metrics port or
 * without the label `component`, which alerts select by. `scrapeFolder` has a file for each job.
 */
export function scrapeProblems(
  entries: readonly ScrapedService[],
  { jobs }: PrometheusConfig,
  scrapeFolder: string,
): string[] {
  const names = new Set(entries.map(({ name }) => name));
  return [
    ...entries.flatMap((entry) => {
      const job = jobs.find(({ job_name }) => job_name === entry.name);
      const file = `${scrapeFolder}/${entry.name}.yml`;
      if (!job) return [`${entry.name} is not scraped: write ${file}`];
      return jobProblems(job, entry).map((problem) => `${file}: ${problem}`);
    }),
    ...jobs
      .filter(({ job_name }) => !names.has(job_name))
      .map(
        ({ job_name }) =>
          `${scrapeFolder}/${job_name}.yml scrapes ${job_name}, which services.ts does not list`,
      ),
  ];
}

function jobProblems(job: ScrapeJob, { name, metricsPort }: ScrapedService): string[] {
  const { static_configs = [], dns_sd_configs = [], relabel_configs = [] } = job;
  const problems: string[] = [];
  const targets = [
    ...static_configs.flatMap((each) => each.targets),
    ...dns_sd_configs.flatMap((each) => each.names.map((host) => `${host}:${each.port}`)),
  ];
  const hosts = ['127.0.0.1', name];
  for (const target of targets)
    if (!hosts.some((host) => target === `${host}:${metricsPort}`))
      problems.push(`scrapes ${target}, and ${name} exports its metrics on port ${metricsPort}`);
  if (targets.length === 0) problems.push('scrapes no target');
  const isLabelled =
    relabel_configs.some((each) => each.target_label === 'component' && each.replacement === 'service') ||
    (static_configs.length > 0 && static_configs.every(({ labels }) => labels?.component === 'service'));
  if (!isLabelled)
    problems.push('does not set the label component to service, by which ServiceDown is raised');
  return problems;
}
