/**
 * Draws every dashboard from what a real Prometheus scraped of a pair that went through a rough minute and a half. It is
 * not Grafana that draws: the queries, titles, units and places of the panels are the dashboards', the lines are ECharts's.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Panel, readDashboards } from '@acme/dev/check/observability/dashboard';
import { fail } from '@acme/dev/cli/fail';
import { root } from '@acme/dev/repository/paths';
import { openPool } from '@acme/postgres/pool/pool';
import type { Pair } from '../pair/pair.ts';
import { askPrometheusRange, untilScraped } from '../prometheus/prometheus-api.ts';
import { scrapeSeconds, startScrapedPair } from '../prometheus/scraped-pair.ts';
import type { Series } from './charts/line-chart.ts';
import { concreteQuery, seriesName } from './concrete-query.ts';
import { drawDashboard, type Spell } from './draw-dashboard.ts';
import { startMixedLoad } from './mixed-load.ts';

const seconds = 90;
const stepSeconds = 3;
const shoppers = 12;
const crowd = 300;
const cuts = {
  what: "inventory's database connections are cut every second",
  from: 16,
  to: 20,
  colour: '#e6effa',
};
const stop = { what: 'inventory hangs (SIGSTOP)', from: 30, to: 42, colour: '#fbe9e7' };
const rush = { what: `${crowd} more shoppers, who never pause`, from: 62, to: 70, colour: '#fff4d6' };
const spells: readonly Spell[] = [cuts, stop, rush];

const folder = join(root, 'docs/pictures');
const say = (text: string) => process.stdout.write(`${text}\n`);
// With an exit of its own, what was started is stopped.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

try {
  await drawAll();
  process.exit();
} catch (error) {
  fail(error);
}

async function drawAll(): Promise<void> {
  await using scraped = await startScrapedPair(say);
  const { pair, prometheus } = scraped;
  await untilScraped(prometheus, ['orders', 'inventory']);
  const start = Math.floor(Date.now() / 1000);
  await goThrough(pair);

  await mkdir(folder, { recursive: true });
  const empty: string[] = [];
  for (const dashboard of readDashboards()) {
    const drawn = new Map<Panel, readonly Series[]>();
    for (const panel of dashboard.panels) {
      const series = await seriesOf(panel, prometheus, start);
      drawn.set(panel, series);
      if (panel.targets && series.length === 0) empty.push(`${dashboard.title}, ${panel.title}`);
    }
    const date = new Date(start * 1000).toISOString().slice(0, 10);
    const picture = drawDashboard(dashboard, {
      seriesOf: (panel) => drawn.get(panel) ?? [],
      seconds,
      note: `drawn by npm run draw:dashboards on ${date}, of what Prometheus scraped of npm start's pair every second`,
      spells,
    });
    const file = join(folder, `${dashboard.name}.svg`);
    await writeFile(file, picture);
    say(`${file}, ${Math.ceil(picture.length / 1000)} kB`);
  }
  if (empty.length > 0)
    throw new Error(`nothing to draw, although the load should have:\n  ${empty.join('\n  ')}`);
}

/** Returns when the time is over, with everything as it was. */
async function goThrough(pair: Pair): Promise<void> {
  const startMs = performance.now();
  const until = (second: number) => sleep(startMs + second * 1000 - performance.now());
  await using load = await startMixedLoad(pair, shoppers);
  await until(cuts.from);
  say(cuts.what);
  for (let second = cuts.from; second < cuts.to; second++) {
    await cutConnections(pair.databaseUrl('inventory'));
    await until(second + 1);
  }
  await until(stop.from);
  say(stop.what);
  const inventory = pair.services.find(({ name }) => name === 'inventory');
  const goOn = () => inventory?.process.kill('SIGCONT');
  // A process that is stopped does not even end.
  process.once('exit', goOn);
  inventory?.process.kill('SIGSTOP');
  await until(stop.to);
  goOn();
  await until(rush.from);
  say(rush.what);
  await load.crowd(crowd, rush.to - rush.from);
  await until(seconds);
}

async function cutConnections(databaseUrl: string): Promise<void> {
  const pool = openPool({ url: databaseUrl, max: 1, applicationName: 'draw dashboards', onError: () => {} });
  await pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await pool.end();
}

async function seriesOf({ targets = [] }: Panel, prometheus: string, start: number): Promise<Series[]> {
  const range = { start, end: start + seconds, step: stepSeconds };
  const series: Series[] = [];
  for (const { expr, legendFormat } of targets) {
    const query = concreteQuery(expr, { scrapeSeconds, stepSeconds });
    for (const { metric, values } of await askPrometheusRange(prometheus, query, range)) {
      const valueAt = new Map(values.map(([at, value]) => [at - start, Number(value)]));
      const points = Array.from({ length: seconds / stepSeconds + 1 }, (_, index) => {
        const at = index * stepSeconds;
        const value = valueAt.get(at);
        return [at, value !== undefined && Number.isFinite(value) ? value : null] as const;
      });
      if (points.some(([, value]) => value !== null))
        series.push({ name: seriesName(legendFormat, metric), points });
    }
  }
  return series;
}
