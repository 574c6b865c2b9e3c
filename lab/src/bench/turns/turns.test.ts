import { expect, test } from 'vitest';
import { hasProcessorTimes } from './processor-time.ts';
import { cpuOver, processFigures, rateOver } from './turn-figures.ts';
import { alternate, type Contender, type Work } from './turns.ts';

/** Returns a contender whose call costs this processor time in each process, in µs. */
function contender<Name extends string>(
  name: Name,
  costUs: Readonly<Record<string, number>>,
  order: string[],
): Contender<Name, Work> {
  let calls = 0;
  return {
    name,
    work: async (seconds) => {
      order.push(name);
      calls += 100 * seconds;
      return { count: 100 * seconds, perSecond: 100 };
    },
    processes: Object.fromEntries(
      Object.entries(costUs).map(([process, us]) => [process, async () => (calls * us) / 1000]),
    ),
  };
}

test('each turn begins with another contender', async () => {
  const order: string[] = [];
  await alternate([contender('a', {}, order), contender('b', {}, order)], { turns: 3, seconds: 1 });
  expect(order.join('')).toBe('abbaab');
});

test('the cost of a call is the processor time of all processes, divided by the calls of the turn', async () => {
  const contenders = [
    contender('one', { server: 30, database: 60 }, []),
    contender('other', { server: 60 }, []),
  ];
  const measured = await alternate<'one' | 'other', Work>(contenders, { turns: 2, seconds: 2 });
  expect(rateOver(measured, 'one', 'other')).toBe(1);
  const known = hasProcessorTimes ? 1 : Number.NaN;
  expect(cpuOver(measured, 'one', 'other')).toBeCloseTo(1.5 * known);
  const figures = processFigures('one', measured.get('one') ?? []);
  expect(figures.one_cpu_us).toBeCloseTo(90 * known);
  expect(figures.one_database_cpu_us).toBeCloseTo(60 * known);
});
