import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPrometheusConfig } from './prometheus-config.ts';
import { checkScraping, scrapeProblems } from './scrape-rules.ts';

const depot = { name: 'depot', metricsPort: 9402 };
const local = `
scrape_configs:
  - job_name: depot
    static_configs: [{targets: ['127.0.0.1:9402'], labels: {component: service}}]
`;
const containers = `
scrape_configs:
  - job_name: depot
    dns_sd_configs: [{names: [depot], type: A, port: 9402}]
    relabel_configs: [{target_label: component, replacement: service}]
`;

/** Returns the problems of a configuration that includes the file `scrape/depot.yml` with the text. */
function problemsOf(text: string, entries = [depot]): string[] {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'scrape-'));
  const file = join(folder.path, 'prometheus.yml');
  writeFileSync(file, 'rule_files: [rules/*.yml]\nscrape_config_files: [scrape/*.yml]\n');
  mkdirSync(join(folder.path, 'scrape'));
  writeFileSync(join(folder.path, 'scrape/depot.yml'), text);
  return scrapeProblems(entries, readPrometheusConfig(file), 'scrape');
}

test.each([local, containers])('a service that is scraped on its own port has no problems: %s', (text) => {
  expect(problemsOf(text)).toEqual([]);
});

test.each([
  [
    local,
    '9402',
    '9401',
    'scrape/depot.yml: scrapes 127.0.0.1:9401, and depot exports its metrics on port 9402',
  ],
  [
    containers,
    'port: 9402',
    'port: 9401',
    'scrape/depot.yml: scrapes depot:9401, and depot exports its metrics on port 9402',
  ],
  [
    containers,
    'names: [depot]',
    'names: [shop]',
    'scrape/depot.yml: scrapes shop:9402, and depot exports its metrics on port 9402',
  ],
  [local, "'127.0.0.1:9402'", '', 'scrape/depot.yml: scrapes no target'],
  [local, 'component: service', 'component: server', 'scrape/depot.yml: does not set the label component'],
  [containers, 'target_label: component', 'target_label: tier', 'does not set the label component'],
])('a job that misses the service is a problem: %s', (text, from, to, problem) => {
  expect(text).toContain(from);
  expect(problemsOf(text.replace(from, to))).toEqual([expect.stringContaining(problem)]);
});

test('a service without a job is a problem that names the file to write', () => {
  expect(problemsOf(local, [depot, { name: 'absentee', metricsPort: 9466 }])).toEqual([
    'absentee is not scraped: write scrape/absentee.yml',
  ]);
});

test('a job of a service that is gone is a problem', () => {
  expect(problemsOf(local, [])).toEqual(['scrape/depot.yml scrapes depot, which services.ts does not list']);
});

test('the services of this repository are scraped by npm start and in Compose', () => {
  expect(checkScraping()).toBeUndefined();
});
