import fc from 'fast-check';
import { test as base, expect } from 'vitest';
import { anySteps, errorsAfter, realStores, type Step, type Stores } from './placing-model.ts';
import { openServiceDatabases, type ServiceDatabases } from './service-databases.ts';

/** Long enough for a busy machine. On an idle one it takes seconds. */
const timeoutMs = 90_000;
/** With this seed, the model finds each bug within 300 runs. */
const seed = 1;

const test = base
  // biome-ignore lint/correctness/noEmptyPattern: vitest wants to see that it uses no other fixture.
  .extend('databases', { scope: 'file' }, async ({}, { onCleanup }) => {
    const databases = await openServiceDatabases();
    onCleanup(() => databases[Symbol.asyncDispose]());
    return databases;
  });

test(
  'orders and reservations agree when messages are repeated, lost, delayed or reordered',
  async ({ databases }) => {
    const stores = realStores(databases);
    await fc.assert(
      fc.asyncProperty(anySteps, async (steps) => {
        expect(await errorsAfter(databases, stores, steps)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  },
  timeoutMs,
);

type Mutate = (stores: Stores, databases: ServiceDatabases) => Partial<Stores>;

/** Plausible bugs, each with the violation that the model must report. */
const bugs: [string, RegExp, Mutate][] = [
  [
    'no tombstone',
    /is CANCELLED and holds/,
    ({ reservations }, { inventoryDatabase }) => ({
      reservations: {
        ...reservations,
        release: async (id) => {
          const { rows } = await inventoryDatabase.query('SELECT FROM reservations WHERE id = $1', [id]);
          if (rows.length > 0) return await reservations.release(id);
          return { id, state: 'RELEASED', lines: [], refusal: undefined, createTime: new Date() };
        },
      },
    }),
  ],
  [
    'T3 without its state guard',
    /is CONFIRMED and holds undefined|events are .* CANCELLED (CONFIRMED|REJECTED)/,
    ({ settlements }, { ordersDatabase }) => ({
      settlements: {
        ...settlements,
        settle: async (id, settlement) => {
          await ordersDatabase.query(
            `UPDATE orders SET state = 'PENDING', settle_after = now() WHERE id = $1 AND state = 'CANCELLED'`,
            [id],
          );
          return await settlements.settle(id, settlement);
        },
      },
    }),
  ],
  [
    'a cancel without a release',
    /is CANCELLED and holds/,
    ({ orders }, { ordersDatabase }) => ({
      orders: {
        ...orders,
        cancel: async (id, ...rest) => {
          const order = await orders.cancel(id, ...rest);
          await ordersDatabase.query('UPDATE orders SET settle_after = NULL WHERE id = $1', [id]);
          return order;
        },
      },
    }),
  ],
  [
    'no fingerprint',
    /^order \S+ holds/,
    ({ orders }) => ({
      orders: { ...orders, place: (order) => orders.place({ ...order, fingerprint: Buffer.alloc(32) }) },
    }),
  ],
  [
    'an ignored lease',
    /second settler within its lease/,
    ({ settlements }) => ({
      settlements: {
        ...settlements,
        leaseDue: async (options) => {
          await settlements.expedite();
          return await settlements.leaseDue(options);
        },
      },
    }),
  ],
  [
    'a forgotten tombstone',
    /is CANCELLED and holds/,
    ({ reservations }, { inventoryDatabase }) => ({
      reservations: {
        ...reservations,
        reserve: async (command) => {
          await inventoryDatabase.query(`DELETE FROM reservations WHERE id = $1 AND state = 'RELEASED'`, [
            command.id,
          ]);
          return await reservations.reserve(command);
        },
      },
    }),
  ],
];

test.for(bugs)(
  'the model finds the planted bug: %s',
  { timeout: timeoutMs },
  async ([, symptom, mutate], { databases }) => {
    const real = realStores(databases);
    const stores = { ...real, ...mutate(real, databases) };
    let errors: string[] = [];
    const isSound = async (steps: Step[]) => {
      errors = await errorsAfter(databases, stores, steps);
      return errors.length === 0;
    };
    // A fixed seed: the test is of the model, not of the luck of a run.
    await fc.check(fc.asyncProperty(anySteps, isSound), { seed, numRuns: 300, endOnFailure: true });
    expect(errors.join()).toMatch(symptom);
  },
);
