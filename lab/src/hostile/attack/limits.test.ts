import { expect, test } from 'vitest';
import { defaultLimits, exceeded, type Figures } from './limits.ts';

const calm: Figures = {
  idleMiB: 200,
  peakMiB: 300,
  keptMiB: 250,
  logBytes: 1000,
  attackMs: 2000,
  bystander: { calls: 100, p99Ms: 20, longestMs: 50, longestResumeMs: 90, failures: {} },
};

test('figures within the limits are not reported', () => {
  expect(exceeded(calm, defaultLimits)).toEqual([]);
});

test('each exceeded limit is reported with its figure', () => {
  const figures: Figures = {
    idleMiB: 200,
    peakMiB: 500,
    keptMiB: 400,
    logBytes: 6 * 1024 * 1024,
    attackMs: 2000,
    bystander: {
      calls: 100,
      p99Ms: 1500,
      longestMs: 2000,
      longestResumeMs: 6000,
      failures: { 'GetOrder: 14 cut': 3 },
    },
  };
  expect(exceeded(figures, defaultLimits)).toEqual([
    'memory grew by 300 MiB, limit 150',
    'memory peaked at 500 MiB, limit 450',
    '200 MiB were not released within 10 s, limit 120',
    "the bystander's p99 was 1500 ms, limit 1000 (longest 2000)",
    "the bystander's resumed watch took 6000 ms, limit 5000",
    'the replica logged 3145728 bytes a second, limit 1048576',
    'bystander: GetOrder: 14 cut (3 times)',
  ]);
});

test('the log rate of an attack shorter than a second is its bytes', () => {
  const burst = { ...calm, logBytes: 900_000, attackMs: 10 };
  expect(exceeded(burst, defaultLimits)).toEqual([]);
});

test('a bystander without calls is a failure', () => {
  const silent = { ...calm, bystander: { ...calm.bystander, calls: 0 } };
  expect(exceeded(silent, defaultLimits)).toEqual(['the bystander made no call']);
});
