import type { PlantedBug } from './planted-bug.ts';

const watches = 'packages/postgres/src/feed/serve-watch.ts';
const serviceConfig = 'packages/rpc/src/client/service-config.ts';

/** Defects of what the services share. */
export const bugsOfPackages: readonly PlantedBug[] = [
  {
    name: 'retry-on-internal',
    what: 'calls are sent again after INTERNAL, which says nothing of the kind',
    edits: [
      { file: serviceConfig, replace: `Codes: ['UNAVAILABLE']`, with: `Codes: ['UNAVAILABLE', 'INTERNAL']` },
    ],
    caughtBy: 'broken-inventory',
    rounds: 2,
  },
  {
    name: 'stale-resume-token',
    what: 'an event comes with the resume token of the one before it, and whoever resumes sees it twice',
    edits: [
      {
        file: watches,
        replace: 'placeToText(place)',
        with: 'placeToText(after ?? place)',
      },
    ],
    caughtBy: 'watchers',
    rounds: 4,
  },
  {
    name: 'resume-token-ahead',
    what: 'a resume token is ahead of its event, and whoever resumes misses the next one',
    edits: [
      {
        file: watches,
        replace: 'placeToText(place)',
        with: 'placeToText({ seq: place.seq + 1n, timeUs: undefined })',
      },
    ],
    caughtBy: 'watchers',
    rounds: 4,
  },
];
