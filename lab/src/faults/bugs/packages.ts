import type { PlantedBug } from './planted-bug.ts';

const watches = 'packages/postgres/src/feed/watch-handler.ts';
const leases = 'packages/postgres/src/leased-work/leases.ts';
const serviceConfig = 'packages/rpc/src/client/service-config.ts';

/** Bugs in the packages. */
export const bugsOfPackages: readonly PlantedBug[] = [
  {
    name: 'retry-on-internal',
    what: 'calls are retried after INTERNAL',
    edits: [{ file: serviceConfig, replace: `['UNAVAILABLE']`, with: `['UNAVAILABLE', 'INTERNAL']` }],
    caughtBy: 'broken-inventory',
    rounds: 2,
  },
  {
    name: 'no-fingerprint',
    what: 'a request id reused for another order returns the first order',
    edits: [
      {
        file: 'packages/postgres/src/idempotency/create-once.ts',
        replace: '.earlier_fingerprint.equals(item.fingerprint)',
        with: '.earlier_fingerprint',
      },
    ],
    caughtBy: '2-after-t1',
    rounds: 10,
  },
  {
    name: 'read-only-is-internal',
    what: 'a connection to a read-only server fails with INTERNAL',
    edits: [
      {
        file: 'packages/postgres/src/errors/database-errors.ts',
        replace: 'error instanceof ReadOnlyServerError || ',
        with: '',
      },
    ],
    caughtBy: 'postgres-failover',
    rounds: 10,
  },
  {
    name: 'lease-ignored',
    what: 'settlers take orders that another settler has leased',
    edits: [
      {
        file: leases,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source file.
        replace: 'soonest(`${dueColumn} <= now() AND ${fresh}`',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source file.
        with: 'soonest(`${dueColumn} IS NOT NULL AND ${fresh}`',
      },
    ],
    caughtBy: 'leases',
    rounds: 10,
  },
  {
    name: 'stale-resume-token',
    what: 'an event has the resume token of the previous one, so that a resumed watch repeats it',
    edits: [
      {
        file: watches,
        replace: 'positionToText(position)',
        with: 'positionToText(after ?? position)',
      },
    ],
    caughtBy: 'watchers',
    rounds: 4,
  },
  {
    name: 'resume-token-ahead',
    what: 'a resume token is ahead of its event, so that a resumed watch misses the next one',
    edits: [
      {
        file: watches,
        replace: 'positionToText(position)',
        with: 'positionToText({ seq: position.seq + 1n, timeUs: undefined })',
      },
    ],
    caughtBy: 'watchers',
    rounds: 4,
  },
];
