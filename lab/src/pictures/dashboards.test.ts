import { readDashboards } from '@acme/dev/check/observability/dashboard';
import { expect, test } from 'vitest';
import { concreteQuery, seriesName } from './concrete-query.ts';
import { boxOf, drawDashboard } from './draw-dashboard.ts';
import { unitLabel } from './unit-label.ts';

test.each([
  [{ scrapeSeconds: 1, stepSeconds: 2 }, '4s'],
  [{ scrapeSeconds: 1, stepSeconds: 9 }, '10s'],
  [{ scrapeSeconds: 15, stepSeconds: 15 }, '60s'],
])('ensure a rate is taken over four scrapes, and over what lies between two points: %o', (timing, range) => {
  expect(concreteQuery('rate(calls_total{job=~"$job"}[$__rate_interval])', timing)).toBe(
    `rate(calls_total{job=~".+"}[${range}])`,
  );
});

test('ensure a variable that nobody knows is told, instead of being sent', () => {
  expect(() => concreteQuery('up{pod="$pod"}', { scrapeSeconds: 1, stepSeconds: 1 })).toThrow('$pod');
});

test('ensure a line is named by its labels, and by nothing for those that it has not got', () => {
  expect(seriesName('{{job}} {{ instance }} limit', { job: 'orders' })).toBe('orders limit');
});

test.each([
  ['s', 0.025, '25 ms'],
  ['s', 2.5, '2.5 s'],
  ['percentunit', 0.9991, '99.9 %'],
  ['bytes', 50 * 2 ** 20, '50 MiB'],
  ['reqps', 1234, '1234 req/s'],
  ['short', 0, '0'],
])('ensure a value of the unit %s is written as people read it: %d', (unit, value, text) => {
  expect(unitLabel(unit, value)).toBe(text);
});

test('ensure no two panels of a dashboard lie on each other, and none beyond its edge', () => {
  for (const { panels } of readDashboards()) {
    const boxes = panels.map(({ title, gridPos }) => ({ title, ...boxOf(gridPos) }));
    for (const one of boxes) {
      expect(one.leftPx + one.widthPx).toBeLessThanOrEqual(boxOf({ x: 0, y: 0, w: 24, h: 1 }).widthPx + 8);
      const over = boxes.filter(
        (other) =>
          other !== one &&
          other.leftPx < one.leftPx + one.widthPx &&
          one.leftPx < other.leftPx + other.widthPx &&
          other.topPx < one.topPx + one.heightPx &&
          one.topPx < other.topPx + other.heightPx,
      );
      expect(over.map(({ title }) => `${one.title} and ${title}`)).toEqual([]);
    }
  }
});

test('ensure every panel of this repository can be drawn, and a single figure is the last one', () => {
  const points = [
    [0, 0.5],
    [30, 0.25],
    [60, null],
  ] as const;
  for (const dashboard of readDashboards()) {
    const svg = drawDashboard(dashboard, {
      seriesOf: () => [{ name: 'a line', points }],
      seconds: 60,
      note: 'a test',
      spells: [{ what: 'a fault', from: 10, to: 20, colour: '#eeeeee' }],
    });
    for (const { title, type, fieldConfig } of dashboard.panels) {
      const figure = type === 'stat' ? `: ${unitLabel(fieldConfig?.defaults.unit ?? '', 0.25)}` : '';
      expect(svg).toContain(`>${title}${figure}</text>`);
    }
    expect(svg).toContain('10 to 20 s: a fault');
  }
});
