import type { PlantedBug } from './planted-bug.ts';

const watches = 'packages/postgres/src/feed/watch-handler.ts';
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
